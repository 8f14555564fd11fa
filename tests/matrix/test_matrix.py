"""A sample of the matrix that `make matrix` plays in whole: a call for each fault but those that leave out parts."""

from random import Random

import pytest

from tests.matrix.cells import Cell, cells, play
from tests.matrix.faults import FAULTS

#: One cell for each kind of fault, chosen from this seed.
SEED = 9


KINDS = [fault.name for fault in FAULTS if not fault.name.startswith("without-")]


@pytest.fixture(scope="module")
def sample() -> dict[str, Cell]:
    """A cell for each fault."""
    by_fault: dict[str, list[Cell]] = {}
    for cell in cells():
        by_fault.setdefault(cell.fault, []).append(cell)
    dice = Random(SEED)  # noqa: S311 - chooses cells
    return {fault: dice.choice(by_fault[fault]) for fault in KINDS}


# The first one lists the calls of every operation, which takes a minute on a quiet machine.
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", KINDS)
def test_a_call_under_a_fault(sample: dict[str, Cell], fault: str) -> None:
    ended = play(sample[fault])
    assert ended.outcome != "neither", f"{ended.cell}: {ended.why}"
