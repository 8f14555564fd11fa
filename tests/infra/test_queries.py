"""Kusto's own language service understands every query, and what they look for is what the app writes."""

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from local.processes import PROJECT
from peering.drift import DRIFT
from peering.problems import PROBLEMS
from tests.infra.queries import CLASSIC, TABLES, expected, named, queries, written

QUERIES: Final = queries()
#: What `%s` in the name of an event stands for.
VARIANTS: Final = {
    "event=repair-%s": ("started", "put-off"),
    "event=check-%s": ("started", "still-running"),
    "event=order-%s": ("interrupted", "resumed"),
}
#: Looks at every record of the app's, whatever it is.
OF_ALL: Final = {"event=%s %s"}


def records() -> set[str]:
    """The records as written, with the names of events in full."""
    found = set[str]()
    for record in written():
        name = record.split(" ")[0]
        found |= {record.replace("%s", one, 1) for one in VARIANTS[name]} if name in VARIANTS else {record}
    return found


@pytest.mark.node
def test_the_language_service_finds_nothing() -> None:
    program = Path(__file__).parent / "node/kusto.cjs"
    given = json.dumps({"tables": TABLES | CLASSIC, "queries": QUERIES | {"wrong": "AppTraces | where Nothing == 1"}})
    ran = subprocess.run(["node", program], input=given, capture_output=True, text=True, check=True, cwd=PROJECT)
    found: dict[str, list[str]] = json.loads(ran.stdout)
    assert found.pop("wrong")
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize("name", QUERIES)
def test_what_a_query_parses_is_what_the_app_writes(name: str) -> None:
    assert expected(QUERIES[name]) <= records() | OF_ALL


@pytest.mark.parametrize("name", QUERIES)
def test_what_a_query_looks_for_is_written(name: str) -> None:
    for start in named(QUERIES[name]):
        assert any(record.startswith(start) for record in records()), start


def test_the_document_has_every_record_that_the_app_writes_and_no_other() -> None:
    table = (PROJECT / "docs/operating.md").read_text().partition("## Log records")[2].partition("\n### ")[0]
    told = {record for row in table.splitlines() for record in re.findall(r"`((?:event|step)=[^`]*)`", row)}
    assert told == {re.sub(r"%[sr]", "", record) for record in records()}


def test_codes_and_states_in_queries_exist() -> None:
    codes = {code for text in QUERIES.values() for code in re.findall(r'"((?:secret|remote)-[a-z-]+)"', text)}
    assert codes
    assert codes <= DRIFT.keys() | set(PROBLEMS)
