"""Numbers and times of requests, as JSON and RFC 3339 write them.

pydantic alone also reads `5.0` as a whole number, and a count of seconds as a time.
"""

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator, Field


def _as(pattern: str, rule: str) -> Callable[[object], object]:
    """A validator that accepts only texts that match a pattern."""
    written = re.compile(pattern, re.ASCII)

    def check(value: object) -> object:
        if not isinstance(value, str) or written.fullmatch(value) is None:
            raise ValueError(rule)
        return value

    return check


_NUMBER: Final = _as(r"0|[1-9]\d*", "must be a whole number in digits, without a sign, a point or leading zeros")
_TIME: Final = _as(r"\d{4}-\d\d-\d\d[Tt ]\d\d:.+", "must be a time as in RFC 3339, such as 2030-01-31T12:00:00Z")
#: A whole number in a query.
Number = Annotated[int, BeforeValidator(_NUMBER)]
#: A time with its offset. The text is converted in strict models too.
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_TIME)]
