"""A running cloud for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.callers import Callers, callers


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callers]:
    """A cloud without delays."""
    with callers(tmp_path, monkeypatch) as found:
        yield found
