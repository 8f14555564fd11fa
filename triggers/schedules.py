"""Problems with the schedules of the timers."""

import re
from collections.abc import Iterator
from typing import Final

from peering.outcome import Occurrence
from triggers.timers import TIMERS, Timer

#: The minimum and maximum of each field: second, minute, hour, day, month, day of the week.
_RANGES: Final = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
#: A part of a field: a number, a name of a month or a day, or all; a range; with a step.
_PART: Final = re.compile(r"(\*|\d+|[A-Za-z]{3,9})(-(\d+|[A-Za-z]{3,9}))?(/([1-9]\d*))?")


def faults() -> Iterator[tuple[Timer, Occurrence | None]]:
    """Each timer with its problem, if its schedule is invalid: the Functions host ignores such a timer."""
    for timer in TIMERS:
        detail = f"{timer.setting}: must be an NCRONTAB expression of six fields, such as {timer.default}."
        yield timer, None if is_schedule(timer.schedule) else Occurrence(code="setting-invalid", detail=detail)


def is_schedule(text: str) -> bool:
    """Whether a text is an NCRONTAB expression, of six fields or of five without seconds."""
    fields = text.split()
    ranges = _RANGES[-len(fields) :] if len(fields) in (5, 6) else ()
    return bool(ranges) and all(
        _is_field(field, least, most) for field, (least, most) in zip(fields, ranges, strict=True)
    )


def _is_field(field: str, least: int, most: int) -> bool:
    parts = [_PART.fullmatch(part) for part in field.split(",")]
    numbers = [int(number) for part in parts if part for number in (part[1], part[3]) if number and number.isdigit()]
    return all(parts) and all(least <= number <= most for number in numbers)
