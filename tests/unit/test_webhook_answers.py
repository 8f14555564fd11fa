"""What a webhook answers beside its status costs no delivery its time, and an event needs a webhook that is set."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from activities.checks.webhook import _read_shortly, deliver_event
from clients.settings import settings
from peering.record import Change
from peering.webhook import event_of
from tests.unit.good_settings import GOOD

_CHUNK = 4096


class _Endless(httpx.AsyncByteStream):
    """A body that comes at once and never ends."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += _CHUNK
            yield b"x" * _CHUNK


def test_of_a_long_body_only_the_beginning_is_read() -> None:
    body = _Endless()
    asyncio.run(_read_shortly(httpx.Response(200, stream=body)))
    assert body.sent == 65_536 + _CHUNK


def test_an_event_whose_webhook_was_removed_meanwhile_is_refused_and_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**GOOD, "WEBHOOK_URL": "", "WEBHOOK_SECRET": ""}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    change = Change(id="i", previous=None, verdict="healthy", codes=[], at="2026-01-01T00:00:00+00:00")
    try:
        outcome = asyncio.run(deliver_event(event_of(change)))
    finally:
        settings.cache_clear()
    assert "problem" in outcome
    assert (outcome["problem"]["code"], "WEBHOOK_URL" in outcome["problem"]["detail"]) == ("webhook-refused", True)
