"""The delivery of events to the operator's webhook: the next one, a try, and its record in the registry."""

import json
import logging
import time
from asyncio import timeout
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from clients.connections import connections
from clients.registry import registry
from clients.settings import settings
from clients.telemetry import begin_remote_call, end_remote_call
from peering.outcome import Occurrence, Outcome
from peering.problems.codes import ProblemCode
from peering.record import Change, Record
from peering.webhook import (
    EVENT_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Delivery,
    Event,
    event_of,
    signature,
)

if TYPE_CHECKING:
    import httpx

log: Final = logging.getLogger("aiven_azure_peering.health")

#: The timeout of a try.
_SECONDS: Final = 45
_GIVE_UP: Final = range(400, 500)
_TRY_AGAIN: Final = (408, 425, 429)
#: The limits of a response body, in bytes and in seconds; the rest is not read.
_LONG: Final = 65_536
_AT_ONCE: Final = 0.5


async def _read_shortly(answer: "httpx.Response") -> None:
    """Read a short body, so that its connection can be reused; the content is not needed."""
    import httpx

    read = 0
    with suppress(TimeoutError, httpx.TransportError):
        async with timeout(_AT_ONCE):
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > _LONG:
                    return


async def next_event(given: Delivery) -> Event | None:
    """The first event of a peering that is not delivered and comes after the last one tried."""
    record = await registry().record(given["id"])
    changes = record.get("events", []) if record is not None and settings().webhook_url is not None else []
    return next((event_of(change) for change in changes if change["at"] > given["after"]), None)


async def deliver_event(event: Event) -> Outcome:
    """POST one event, signed; any 2xx accepts it, other 4xx refuse it until the cause is fixed."""
    import httpx

    url, secret = settings().webhook_url, settings().webhook_secret
    if url is None or secret is None:
        return {"problem": Occurrence(code="webhook-refused", detail="WEBHOOK_URL is no longer set.")}
    body, now = json.dumps(event).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        EVENT_HEADER: event["id"],
        TIMESTAMP_HEADER: now,
        SIGNATURE_HEADER: signature(secret.get_secret_value(), now, body),
    }
    host = urlsplit(url).hostname or ""
    made = begin_remote_call("POST", host)
    try:
        async with (
            timeout(_SECONDS),
            connections().webhook().stream("POST", url, content=body, headers=headers) as answer,
        ):
            await _read_shortly(answer)
    except (httpx.TransportError, TimeoutError) as error:
        end_remote_call(made, host, error=type(error).__name__)
        log.warning("event=webhook-unreachable id=%s error=%s", event["id"], type(error).__name__)
        return {"problem": Occurrence(code="webhook-unreachable", detail=type(error).__name__)}
    end_remote_call(made, host, answer.status_code)
    log.info("event=webhook-answered id=%s status=%s", event["id"], answer.status_code)
    if answer.is_success:
        return {"facts": {}}
    final = answer.status_code in _GIVE_UP and answer.status_code not in _TRY_AGAIN
    code: ProblemCode = "webhook-refused" if final else "webhook-unreachable"
    return {"problem": Occurrence(code=code, detail=f"The webhook answered {answer.status_code}.")}


async def note_delivered(given: Change) -> None:
    """Remove a delivered event from its peering's record."""

    def delivered(record: Record | None, _: datetime) -> tuple[Record | None, None]:
        if record is not None and "events" in record:
            record["events"] = [event for event in record["events"] if event != given]
        return record, None

    await registry().change(given["id"], delivered, health=True)
