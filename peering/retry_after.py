"""How long a remote asks its callers to wait: the header `Retry-After` (RFC 9110, 10.2.3), or a text's words."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

#: No remote is obeyed for longer than this, in seconds: what is waited for has a deadline of its own.
LONGEST: Final = 3600.0
_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_IN_WORDS = re.compile(r"(?:try again|retry) (?:in|after) ([0-9]{1,9})\s*s", re.ASCII | re.IGNORECASE)


def retry_after(header: str | None, now: datetime, message: str = "") -> float | None:
    """The seconds to wait, between 0 and `LONGEST`; None when the remote names none that can be read.

    Args:
        header: the value of the header: seconds, or the date of HTTP.
        now: the time that a date is compared with.
        message: the remote's text, which may name the seconds when the header does not (Aiven: "try again in 28s").
    """
    value = (header or "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST)
    if value and not value.isascii():
        return None
    try:
        return min(max((parsedate_to_datetime(value) - now).total_seconds(), 0.0), LONGEST)
    except (ValueError, TypeError, OverflowError):
        words = _IN_WORDS.search(message)
        return min(float(words[1]), LONGEST) if words else LONGEST if value.isdecimal() else None
