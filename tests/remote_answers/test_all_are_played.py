"""Every reported situation is played by a test that names it."""

from collections.abc import Iterator

from tests.remote_answers import test_situations
from tests.remote_answers.cases import CASES, SITUATIONS


def test_every_situation_has_a_test() -> None:
    assert set(played()) - {case.name for case in CASES} == set(SITUATIONS)


def played() -> Iterator[str]:
    """The situations that the tests name."""
    for test in vars(test_situations).values():
        marks = getattr(test, "pytestmark", [])
        yield from (mark.args[0] for mark in marks if mark.name == "situation")
