"""The delivery of one event to the operator's webhook."""

import json
import logging
import time
from typing import Final

from clients.settings import settings
from peering.outcome import Occurrence, Outcome
from peering.webhook import EVENT_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, Delivery, signature

log: Final = logging.getLogger("aiven_azure_peering.health")

_GIVE_UP: Final = range(400, 500)
_TRY_AGAIN: Final = (408, 425, 429)


async def deliver_event(given: Delivery) -> Outcome:
    """POST one event, signed; any answer of 2xx takes it, other 4xx refuse it for good."""
    import httpx

    url, secret = settings().webhook_url, settings().webhook_secret
    if url is None or secret is None:
        return {"problem": Occurrence(code="webhook-refused", detail="WEBHOOK_URL is not set any more.")}
    body, now = json.dumps(given["event"]).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        EVENT_HEADER: given["event"]["id"],
        TIMESTAMP_HEADER: now,
        SIGNATURE_HEADER: signature(secret.get_secret_value(), now, body),
    }
    try:
        async with httpx.AsyncClient(timeout=httpx.Timeout(30, connect=5)) as http:
            answer = await http.post(url, content=body, headers=headers)
    except httpx.TransportError as error:
        log.warning("event=webhook-unreachable id=%s error=%s", given["event"]["id"], type(error).__name__)
        return {"problem": Occurrence(code="webhook-unreachable", detail=type(error).__name__)}
    log.info("event=webhook-answered id=%s status=%s", given["event"]["id"], answer.status_code)
    if answer.is_success:
        return {"facts": {"delivered": given["event"]["id"]}}
    final = answer.status_code in _GIVE_UP and answer.status_code not in _TRY_AGAIN
    code = "webhook-refused" if final else "webhook-unreachable"
    return {"problem": Occurrence(code=code, detail=f"The webhook answered {answer.status_code}.")}
