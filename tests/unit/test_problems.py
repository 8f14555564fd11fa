"""The catalogue is whole: every code that the app uses is in it, and everything in it is used and written out."""

import re
from pathlib import Path
from typing import get_args

import pytest

from local.problems_table import DOCUMENT, document, readings
from peering.outcome import LOST
from peering.problems import PROBLEMS, Problem
from peering.problems.codes import ProblemCode
from peering.problems.remote_codes import SIGN_IN_CODES

#: Every problem that a remote's answer may be read as.
READ = {
    *(problem for problem, _ in readings()),
    *(f"{identity}-sign-in-failed" for identity in SIGN_IN_CODES),
}
PROJECT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("activities", "clients", "orchestrators", "peering", "triggers")
    for path in (PROJECT / folder).rglob("*.py")
]
_CUTS = re.compile(r"\b(?:delet|remov)\w*\b[^.;:]*\b(?:it in Aiven|connection|peerings?\b)", re.IGNORECASE)
_CODE = re.compile(r'"([a-z]+(?:-[a-z]+)*)"')


@pytest.fixture(scope="module")
def mentioned() -> set[str]:
    """What may be a code in the sources."""
    return {found for path in SOURCES for found in _CODE.findall(path.read_text())}


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    raised = re.compile(r'(?:ProblemError|problem_response|problem_document)\(\s*"([^"]+)"')
    codes = {code for path in SOURCES for code in raised.findall(path.read_text())}
    assert len(codes) > 20
    assert codes <= set(PROBLEMS)
    assert set(PROBLEMS) >= READ


def test_no_code_has_two_meanings() -> None:
    texts = (path.read_text() for path in (PROJECT / "peering/problems").glob("*.py"))
    codes = [code for text in texts for code in re.findall(r'\bProblem\(\s*"([a-z-]+)"', text)]
    assert sorted(codes) == sorted(PROBLEMS)


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_can_be_met(mentioned: set[str], code: str) -> None:
    assert code in mentioned | READ


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda problem: problem.code)
def test_every_problem_is_written_out(problem: Problem) -> None:
    assert not problem.title.endswith(".")
    assert problem.meaning.endswith(".")
    assert problem.remedy.endswith(".")
    assert 400 <= problem.status < 600


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda problem: problem.code)
def test_no_remedy_cuts_what_works_unseen(problem: Problem) -> None:
    """Who is told to delete a connection or a VNet peering is told how to see that no traffic flows through it."""
    if not _CUTS.search(problem.remedy):
        return
    assert "ACTIVE" in problem.remedy or "Connected" in problem.remedy or "Disconnected" in problem.remedy


@pytest.mark.parametrize(
    "problem",
    [problem for problem in PROBLEMS.values() if "not ACTIVE, delete it" in problem.remedy],
    ids=lambda problem: problem.code,
)
def test_a_remedy_for_what_is_not_active_has_one_for_what_is(problem: Problem) -> None:
    assert re.search(r"(?<!not )ACTIVE", problem.remedy)


@pytest.mark.parametrize(
    "problem",
    # A lost call is never an end: `interrupted` is.
    [problem for problem in PROBLEMS.values() if problem.deadline and problem.code != LOST],
    ids=lambda problem: problem.code,
)
def test_a_remedy_says_what_to_do_when_the_app_has_given_up(problem: Problem) -> None:
    waits, _, afterwards = problem.remedy.rpartition("the deadline passed")
    assert waits or not re.search(r"\bwait\b|automatically", problem.remedy, re.IGNORECASE)
    assert re.search(
        r"send the request again|start the peering again|every check tries again", afterwards, re.IGNORECASE
    )


@pytest.mark.parametrize(
    "code",
    [
        *("application-missing", "remote-peering-disconnected", "connection-of-another-application"),
        *("nothing-to-adopt", "network-peered-already", "address-space-overlaps-peered-vnet"),
        "peering-limit-reached",
    ],
)
def test_a_remedy_that_may_cut_says_so_and_how_to_see_it(code: str) -> None:
    remedy = PROBLEMS[code].remedy
    assert "traffic" in remedy.lower() or "flows through it" in remedy
    assert re.search(r"`(?:az network vnet peering list|avn vpc peering-connection list)`", remedy)


def test_the_document_of_the_problems_is_that_of_the_catalogue() -> None:
    assert DOCUMENT.read_text() == document(), "write it again: python -m local.problems_table"


def test_the_codes_are_those_of_the_catalogue() -> None:
    assert get_args(ProblemCode) == tuple(PROBLEMS)
