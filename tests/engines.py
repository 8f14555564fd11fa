"""Which engine runs the orchestrations of the tests: `--engine embedded`, the default, or `--engine genuine`."""

from collections.abc import Iterator

import pytest

from local.deployment import deployed_on
from local.genuine import GenuinePlatform, missing_parts


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which engine, and how hostile its host is."""
    parser.addoption("--engine", choices=("embedded", "genuine"), default="embedded", help="what runs orchestrations")
    parser.addoption("--hostile", type=int, help="the one seed that tests marked `life` run under, on a hostile host")


def pytest_configure(config: pytest.Config) -> None:
    """Don't begin on an engine that is not there.

    Raises:
        pytest.UsageError: a part is missing.
    """
    if config.getoption("--engine") == "genuine" and (missing := missing_parts()):
        raise pytest.UsageError(f"--engine genuine: {missing}")


@pytest.fixture(scope="session")
def genuine_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GenuinePlatform]:
    """Azurite and the shared clock, once for each process of the tests; whatever `--engine` says."""
    platform = GenuinePlatform(tmp_path_factory.mktemp("platform"))
    yield platform
    platform.stop()


@pytest.fixture(scope="session", autouse=True)
def _platform(request: pytest.FixtureRequest) -> Iterator[None]:
    """Deployments run on the engine that `--engine` names."""
    if request.config.getoption("--engine") == "embedded":
        yield
        return
    with deployed_on(request.getfixturevalue("genuine_platform")):
        yield
