"""One app for the tests of a module: with keys alone, or with App Service authentication before it."""

from collections.abc import Iterator

import pytest

from local.deployment import Deployment, deploy


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The app, which keys alone open."""
    with deploy(tmp_path_factory.mktemp("keys")) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The app behind App Service authentication."""
    with deploy(tmp_path_factory.mktemp("entra"), settings={"WEBSITE_AUTH_ENABLED": "true"}) as deployed:
        yield deployed
