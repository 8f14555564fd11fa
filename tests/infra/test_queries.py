"""Kusto's own language service understands every query, and what they look for is what the app writes."""

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypedDict, get_args

import pytest

from local.processes import PROJECT
from peering.drift import Verdict
from peering.problems import PROBLEMS
from peering.progress import RunState
from peering.steps import Operation
from tests.infra.predicted import of_type
from tests.infra.queries import CLASSIC, TABLES, expected, named, queries, written

QUERIES: Final = queries()
#: What `%s` in the name of an event stands for.
VARIANTS: Final = {
    "event=repair-%s": ("started", "put-off"),
    "event=check-%s": ("started", "still-running"),
    "event=order-%s": ("interrupted", "resumed"),
}
#: The columns of a query whose values are alerts of their own.
OF_ITS_OWN: Final = {"peering", "run", "event"}
#: What the app may write into each column that a query compares with texts.
VALUES: Final[dict[str, frozenset[str]]] = {
    "verdict": frozenset(get_args(Verdict)),
    "state": frozenset(get_args(RunState)),
    "operation": frozenset(get_args(Operation)),
    "outcome": frozenset({"done", *PROBLEMS}),
    "codes": frozenset(PROBLEMS),
}
#: What a query does that asks how peerings are now: it groups verdicts by peering.
LAST_VERDICT: Final = re.compile(r"event=verdict-(?s:.*)\| summarize [^|]*\bby peering\b")
#: Looks at every record of the app's, whatever it is.
OF_ALL: Final = {"event=%s %s"}


def records() -> set[str]:
    """The records as written, with the names of events in full."""
    found = set[str]()
    for record in written():
        name = record.split(" ")[0]
        found |= {record.replace("%s", one, 1) for one in VARIANTS[name]} if name in VARIANTS else {record}
    return found


class Judged(TypedDict):
    """What the language service says of a query, and the columns of its result with their types."""

    said: list[str]
    columns: dict[str, str]


@cache
def judged() -> dict[str, Judged]:
    """All queries, and a wrong one."""
    program = Path(__file__).parent / "node/kusto.cjs"
    given = json.dumps({"tables": TABLES | CLASSIC, "queries": QUERIES | {"wrong": "AppTraces | where Nothing == 1"}})
    ran = subprocess.run(["node", program], input=given, capture_output=True, text=True, check=True, cwd=PROJECT)
    found: dict[str, Judged] = json.loads(ran.stdout)
    return found


@pytest.mark.node
def test_the_language_service_finds_nothing() -> None:
    assert {name for name, one in judged().items() if one["said"]} == {"wrong"}


@pytest.mark.node
def test_each_peering_order_and_kind_of_error_that_a_rule_finds_is_an_alert_of_its_own() -> None:
    rules = of_type("webhook", "Microsoft.Insights/scheduledQueryRules")
    split = {
        f"{one['properties']['displayName']}.kql": {
            dimension["name"]
            for criterion in one["properties"]["criteria"]["allOf"]
            for dimension in criterion.get("dimensions", [])
            if (dimension["operator"], dimension["values"]) == ("Include", ["*"])
        }
        for one in rules
    }
    columns = {name: one["columns"] for name, one in judged().items() if name.endswith(".kql")}
    assert split == {
        name: {column for column, type_ in found.items() if column in OF_ITS_OWN and type_ == "string"}
        for name, found in columns.items()
    }
    assert split["verdict-broken.kql"] == {"peering"}


def test_what_lasts_is_looked_for_in_the_longest_range_that_a_rule_may_have() -> None:
    rules = {
        one["properties"]["displayName"]: one["properties"]["windowSize"]
        for one in of_type("webhook", "Microsoft.Insights/scheduledQueryRules")
    }
    lasting = {"verdict-broken", "verdict-unknown", "secret-near-expiry", "webhook-dead"}
    assert {name for name, window in rules.items() if window == "P2D"} == lasting


@pytest.mark.parametrize("name", [name for name, text in QUERIES.items() if LAST_VERDICT.search(text)])
def test_a_removed_peering_is_in_no_list_of_last_verdicts(name: str) -> None:
    assert 'where state == "removed"' in QUERIES[name]
    assert re.search(r"isnull\(gone\) or gone < (TimeGenerated|timestamp|newest)", QUERIES[name])


def test_no_check_is_missing_while_all_are_paused() -> None:
    texts = [text for text in QUERIES.values() if "event=check-started" in text]
    assert len(texts) == 2
    assert all('startswith "event=check-paused"' in text for text in texts)


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


def compared(query: str) -> Iterator[tuple[str, str]]:
    """The columns that a query compares with texts, each with one of the texts."""
    for column, texts in re.findall(r'\b(\w+) (?:==|!=|in|has_any|has) (\([^)]*\)|"[^"]*")', query):
        yield from ((column, text) for text in re.findall(r'"([^"]*)"', texts))


@pytest.mark.parametrize("name", QUERIES)
def test_what_a_query_compares_with_is_a_value_of_the_code(name: str) -> None:
    for column, text in compared(QUERIES[name]):
        assert text in VALUES[column], (column, text)


def test_no_text_in_a_query_of_the_deployment_is_left_out() -> None:
    assert {column for text in QUERIES.values() for column, _ in compared(text)} == VALUES.keys()
    for name, text in QUERIES.items():
        conditions = re.sub(r"(startswith|parse \w+ with) [^\n|]*", "", text)
        texts = re.findall(r'"([^"]*)"', conditions)
        assert ".md: " in name or sorted(texts) == sorted(one for _, one in compared(conditions)), name


@pytest.mark.parametrize(
    ("verdict", "time", "in_words"), [("broken", "30m", "30 minutes"), ("unknown", "1h", "1 hour")]
)
def test_a_verdict_alerts_once_it_has_lasted(verdict: str, time: str, in_words: str) -> None:
    text = QUERIES[f"verdict-{verdict}.kql"]
    assert text.startswith(f"// Peerings whose last verdict is {verdict}, for {in_words} or longer.\n")
    assert f'| where verdict == "{verdict}" and since < ago({time})\n' in text
