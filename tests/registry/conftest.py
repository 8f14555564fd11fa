"""The Table services that the tests of the registry run on: the local cloud's and Azurite, which come to the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud.table_services import Tables, azurite_tables, local_tables


@pytest.fixture(scope="module", params=["local", pytest.param("azurite", marks=pytest.mark.node)])
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """A Table service for all tests of the module: the local cloud's, then Azurite."""
    start: dict[str, Callable[[Path], object]] = {"local": local_tables, "azurite": azurite_tables}
    with start[request.param](tmp_path_factory.mktemp(request.param)) as found:  # type: ignore[attr-defined]
        yield found
