"""Events for the operator's webhook: their shape, and the signature that proves who sent them."""

import hashlib
import hmac
from typing import Final, TypedDict

from peering.registry import Change
from peering.spec import Deadlines

#: The header that holds the signature, in the form that GitHub's webhooks made common.
SIGNATURE_HEADER: Final = "X-Signature-256"
TIMESTAMP_HEADER: Final = "X-Timestamp"
EVENT_HEADER: Final = "X-Event-Id"


class Event(TypedDict):
    """A verdict that changed, as the webhook gets it. The id is the same at every try."""

    id: str
    type: str
    change: Change


class Delivery(TypedDict):
    """An event on its way."""

    event: Event
    deadlines: Deadlines


class ToDeliver(TypedDict):
    """The input of `begin_deliveries`: whose events, and how long their deliveries may wait."""

    id: str
    deadlines: Deadlines


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA-256 of `{timestamp}.{body}`, in hexadecimal; the timestamp keeps it from replay."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"
