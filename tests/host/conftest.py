"""The app of features, served in this process on a virtual clock."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from local.clock import VirtualClock
from local.host import FunctionsHost
from tests.host.features import APPS, Features


@pytest.fixture
def features(tmp_path: Path) -> Iterator[Features]:
    """The running app."""
    host = FunctionsHost(APPS / "features", tmp_path, port=0, clock=VirtualClock())
    with start_blocking_portal() as portal, httpx.Client(base_url=host.url, trust_env=False, timeout=30) as client:
        portal.call(host.start)
        try:
            yield Features(host, client)
        finally:
            portal.call(host.stop)
