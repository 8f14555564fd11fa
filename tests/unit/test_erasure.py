"""Erasing a caller from what the registry keeps: that caller alone, and nothing that only looks like one."""

import pytest

from peering.erasure import ERASED, erased
from peering.orders import APP
from peering.spec import Caller

FIRST, KEY = Caller(name="first@example.com", id="7"), Caller(name="holder of the function key", id=None)


@pytest.mark.parametrize("named", ["first@example.com", "FIRST@example.com", "7"])
def test_a_caller_is_erased_by_name_or_id(named: str) -> None:
    kept = {"requested_by": KEY, "runs": [{"by": FIRST}, {"by": APP}]}
    assert erased(kept, named) == {"requested_by": KEY, "runs": [{"by": ERASED}, {"by": APP}]}


def test_no_name_stands_for_all_callers_without_an_id() -> None:
    assert erased([KEY, APP], "None") == [KEY, APP]


def test_labels_are_no_caller() -> None:
    kept = {"labels": {"name": "first@example.com", "id": "7"}}
    assert erased(kept, "7") == kept
