"""What a remote asks its callers to wait: finite, bounded, and nothing where it cannot be read."""

from datetime import UTC, datetime

import pytest

from peering.retry_after import LONGEST, retry_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("10", 10.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("1000000000000", LONGEST),
        ("9" * 400, LONGEST),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("Thursday, 01-Jan-26 00:01:00 GMT", 60.0),
        ("Thu Jan  1 00:01:00 2026", 60.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        ("Wed, 21 Oct 2065 07:28:00 GMT", LONGEST),
        ("\N{SUPERSCRIPT TWO}", None),
        ("-1", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_header(header: str | None, seconds: float | None) -> None:
    assert retry_after({} if header is None else {"Retry-After": header}, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"X-MS-Retry-After-MS": "9" * 30}, LONGEST),
        ({"retry-after": "2", "retry-after-ms": "1500"}, 2.0),
        ({"Retry-After": "soon", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "soon"}, None),
        ({"retry-after-ms": "-5"}, None),
        ({"Date": "Thu, 01 Jan 2026 00:01:00 GMT"}, None),
    ],
)
def test_further_headers_count_in_milliseconds(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_text_that_names_the_seconds() -> None:
    assert retry_after({}, NOW, "Rate limit 120 exceeded - try again in 28s") == 28
