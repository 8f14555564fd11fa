"""What a webhook answers beside its status costs no delivery its time, and an event needs a webhook that is set."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from activities.checks.verdicts import judged
from activities.checks.webhook import _read_shortly, deliver_event
from clients.settings import settings
from peering.orders import new_order
from peering.problems import PROBLEMS
from peering.record import Change
from peering.registry import place
from peering.verdicts import Checked, Judged
from peering.webhook import event_of
from tests.registry.registry_on_tables import BY, DEADLINES
from tests.unit.good_settings import GOOD
from tests.unit.healthy_peering import NOW, PEERING

_CHUNK = 4096
CHANGE = Change(id="i", previous=None, verdict="healthy", codes=[], at="2026-01-01T00:00:00+00:00")


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


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Set the webhook's address."""

    def at(url: str) -> None:
        for name, value in {
            **GOOD,
            "WEBHOOK_URL": url,
            "WEBHOOK_SECRET": "a-key-that-only-the-two-know" if url else "",
        }.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield at
    settings.cache_clear()


def test_an_event_whose_webhook_was_removed_meanwhile_is_refused_and_not_lost(webhook: Callable[[str], None]) -> None:
    webhook("")
    outcome = asyncio.run(deliver_event(event_of(CHANGE)))
    assert "problem" in outcome
    assert (outcome["problem"]["code"], "WEBHOOK_URL" in outcome["problem"]["detail"]) == ("webhook-refused", True)


def test_a_webhook_that_nobody_listens_at_is_tried_again(webhook: Callable[[str], None]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        webhook(f"https://127.0.0.1:{taken.getsockname()[1]}/events")
        outcome = asyncio.run(deliver_event(event_of(CHANGE)))
    assert "problem" in outcome
    assert outcome["problem"]["code"] == "webhook-unreachable"
    assert PROBLEMS[outcome["problem"]["code"]].deadline is not None


def test_the_oldest_of_too_many_events_are_dropped_and_it_is_said_so(
    webhook: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    webhook("https://example.com/events")
    at = "2026-01-02T00:00:00+00:00"
    long = Change(id="i", previous=None, verdict="broken", codes=["remote-unavailable"] * 2_000, at=CHANGE["at"])
    order = new_order("establish", "r", BY, NOW, DEADLINES)
    record, _ = place(None, {**order, "peering": PEERING})
    assert record is not None
    record["events"] = [long, long, {**long, "at": at}]
    judged(Checked(revision=record["revision"], problems=[]), at, record, NOW)
    assert [len(event["codes"]) for event in record["events"]] == [2_000, 2_000, 0]
    assert f"event=events-dropped peering={PEERING['id']} count=1" in caplog.text


def test_a_peering_that_was_removed_since_the_look_has_no_verdict() -> None:
    assert judged(Checked(revision=1, problems=[]), CHANGE["at"], None, NOW) == (None, Judged())
