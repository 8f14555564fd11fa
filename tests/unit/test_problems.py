"""The catalogue is whole: every code that the app uses is in it, and everything in it is used and written out."""

import re
from pathlib import Path

import pytest

from local.problems_table import DOCUMENT, document, readings
from peering.problems import PROBLEMS, Problem
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
    for path in (PROJECT / folder).glob("*.py")
]
_CODE = re.compile(r'"([a-z]+(?:-[a-z]+)*)"')


def _mentioned(path: Path) -> set[str]:
    return set(_CODE.findall(path.read_text()))


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    raised = re.compile(r'(?:ProblemError|problem_response|problem_document)\(\s*"([^"]+)"')
    codes = {code for path in SOURCES for code in raised.findall(path.read_text())}
    assert len(codes) > 20
    assert codes <= set(PROBLEMS)
    assert set(PROBLEMS) >= READ


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_can_be_met(code: str) -> None:
    elsewhere = {found for path in SOURCES for found in _mentioned(path)}
    assert code in elsewhere | READ


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda problem: problem.code)
def test_every_problem_is_written_out(problem: Problem) -> None:
    assert not problem.title.endswith(".")
    assert problem.meaning.endswith(".")
    assert problem.remedy.endswith(".")
    assert 400 <= problem.status < 600


def test_the_document_of_the_problems_is_that_of_the_catalogue() -> None:
    assert DOCUMENT.read_text() == document(), "write it anew: python -m local.problems_table"
