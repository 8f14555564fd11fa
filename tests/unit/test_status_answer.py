"""A status says when to look again for as long as an order is open: a check is one."""

from datetime import UTC, datetime
from typing import Any, cast, get_args

import pytest

from peering.orders import new_order
from peering.record import Record
from peering.spec import Caller, Deadlines
from peering.steps import Operation
from triggers.peering import status_answer


def answer_to(**order: object) -> dict[str, str]:
    """The headers of a status."""
    record = cast("Record", {"revision": 1, **order})
    return dict(status_answer(record, cast("Any", {})).headers)


@pytest.mark.parametrize("operation", get_args(Operation))
def test_whatever_is_asked_for_is_worth_another_look(operation: Operation) -> None:
    order = new_order(
        operation, "r1", Caller(name="x", id=None), datetime.now(UTC), Deadlines(propagation=1, platform=1)
    )
    assert answer_to(order=order)["Retry-After"] == "5"


def test_one_at_rest_says_nothing_of_it() -> None:
    assert "Retry-After" not in answer_to()
