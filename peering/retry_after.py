"""How long a remote asks its callers to wait: the header `Retry-After` (RFC 9110, 10.2.3), Azure's own, or a text.

Services of Azure also send `retry-after-ms` and `x-ms-retry-after-ms`, which the SDKs obey (azure-core).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

#: The maximum wait that a remote service can ask for, in seconds: each wait has a deadline of its own.
LONGEST: Final = 3600.0
_IN_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms")
_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_IN_WORDS = re.compile(r"(?:try again|retry) (?:in|after) ([0-9]{1,9})\s*s", re.ASCII | re.IGNORECASE)


def retry_after(headers: Mapping[str, str], now: datetime, message: str = "") -> float | None:
    """The seconds to wait, between 0 and `LONGEST`; None when the remote names none that can be read.

    Args:
        headers: the answer's headers: `Retry-After` in seconds or as a date, the others in milliseconds.
        now: the time that a date is compared with.
        message: the remote's text, which may name the seconds when no header does (Aiven: "try again in 28s").
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    asked = [_seconds(given.get("retry-after", ""), now)]
    for name in _IN_MILLISECONDS:
        value = given.get(name, "")
        asked.append(float(value) / 1000 if _SECONDS.fullmatch(value) else LONGEST if _is_huge(value) else None)
    words = _IN_WORDS.search(message)
    asked.append(float(words[1]) if words else None)
    named = next((seconds for seconds in asked if seconds is not None), None)
    return None if named is None else min(max(named, 0.0), LONGEST)


def _seconds(value: str, now: datetime) -> float | None:
    if _SECONDS.fullmatch(value):
        return float(value)
    if not value or not value.isascii() or _is_huge(value):
        return LONGEST if _is_huge(value) else None
    try:
        # asctime's form, the oldest of the three, names no zone; all of them are in GMT.
        at = parsedate_to_datetime(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).timestamp() - now.timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _is_huge(value: str) -> bool:
    """Whether a value is a number that is longer than any wait."""
    return value.isascii() and value.isdecimal() and not _SECONDS.fullmatch(value)
