"""One deployed app for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment import Deployment, deploy


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The app against a cloud without delays."""
    with deploy(tmp_path) as deployed:
        yield deployed
