"""The app of features, served in this process on a virtual clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.features import Features, serve


@pytest.fixture
def features(tmp_path: Path) -> Iterator[Features]:
    """The running app."""
    with serve(tmp_path) as running:
        yield running
