"""The app of features on the genuine engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from local.clock import SharedClock
from local.genuine import GenuineEngine, GenuinePlatform, genuine_engine
from local.host import FunctionsHost
from tests.host.features import APPS, Features


@dataclass(frozen=True)
class Genuine:
    """The running app, the engine behind it, and the clock of all of them."""

    app: Features
    engine: GenuineEngine
    clock: SharedClock


@pytest.fixture
def genuine(genuine_platform: GenuinePlatform, tmp_path: Path) -> Iterator[Genuine]:
    """The app on a task hub of its own."""
    clock = genuine_platform.clock()
    host = FunctionsHost(APPS / "features", tmp_path, port=0, clock=clock, engine=genuine_platform.engine)
    with start_blocking_portal() as portal, httpx.Client(base_url=host.url, trust_env=False, timeout=60) as client:
        portal.call(host.start)
        try:
            yield Genuine(Features(host, client), genuine_engine(host), clock)
        finally:
            portal.call(host.stop)
