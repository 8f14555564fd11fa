"""Events for the operator's webhook: their shape, and the signature that proves who sent them."""

import hashlib
import hmac
from typing import Final, TypedDict, final

from peering.record import Change
from peering.runs import deterministic_id
from peering.spec import Deadlines

#: The header that holds the signature, in the form that GitHub's webhooks made common.
SIGNATURE_HEADER: Final = "X-Signature-256"
TIMESTAMP_HEADER: Final = "X-Timestamp"
EVENT_HEADER: Final = "X-Event-Id"


@final
class Event(TypedDict):
    """A verdict that changed, as the webhook gets it. The id is the same at every try."""

    id: str
    type: str
    change: Change


class Delivery(TypedDict):
    """The input of `deliver`: whose events, and how long one may wait; `after` is the moment of the last one tried."""

    id: str
    deadlines: Deadlines
    after: str


def event_of(change: Change) -> Event:
    """A change of verdict as an event."""
    event_id = deterministic_id("event", change["id"], change["verdict"], change["at"])
    return Event(id=event_id, type="verdict-changed", change=change)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA-256 of `{timestamp}.{body}`, in hexadecimal; the timestamp keeps it from replay."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"
