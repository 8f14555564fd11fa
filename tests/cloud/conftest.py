"""A running cloud for each test, and the Table services to compare."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.callers import Callers, callers
from tests.cloud.table_services import Tables, azurite_tables, local_tables


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callers]:
    """A cloud without delays."""
    with callers(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture(scope="module", params=["local", pytest.param("azurite", marks=pytest.mark.node)])
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """A Table service for all tests of a module: the local cloud's, then Azurite."""
    start = {"local": local_tables, "azurite": azurite_tables}[request.param]
    with start(tmp_path_factory.mktemp(request.param)) as found:
        yield found
