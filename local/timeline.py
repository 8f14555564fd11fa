"""A peering's life cycle for a terminal: the plan of a start, the steps of a run, a verdict, the remaining objects."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from peering.steps import PLANS

_STYLES: Final = {
    "done": "green",
    "running": "cyan",
    "waiting": "yellow",
    "failed": "bold red",
    "pending": "dim",
    "create": "green",
    "find": "cyan",
    "adopt": "yellow",
    "healthy": "bold green",
    "degraded": "bold yellow",
    "unknown": "bold yellow",
    "broken": "bold red",
}
_NEEDLESS: Final = "not needed"
_LOOKS: Final = frozenset(step.name for steps in PLANS.values() for step in steps if step.looks)
_ABOVE: Final = re.compile(r"/subscriptions/[^\s,]*/")
_BAR: Final = 22
_NAME: Final = 62
#: Columns of a timeline with its bars.
_WIDE: Final = 100

#: A document as the API, or the local cloud, gives it, decoded.
Document = Mapping[str, Any]


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True, justify="right" if column in right else "left")
    return table


def timeline(status: Document, *, width: int = _WIDE, rows: int | None = None) -> Group:
    """The steps that a run needs, by their start times, with durations and tries; below them, the current waits.

    Args:
        status: the peering's status document.
        width: the terminal's columns; bars are shown only in a wide terminal.
        rows: the maximum number of rows: the steps that ended first are left out.
    """
    steps = [step for step in status["steps"] if step["state"] != _NEEDLESS]
    begun = [step for step in steps if "started" in step]
    origin = min((_moment(step["started"]) for step in begun), default=datetime.now(UTC))
    span = max((_end(step) - origin for step in begun), default=timedelta())
    bars = [""] if width >= _WIDE else []
    table = _table("", "Step", "State", "Tries", "At s", "Took s", *bars, right=("Tries", "At s", "Took s"))
    shown = sorted(_folded(steps), key=lambda step: step.get("started", "~"))
    if rows is not None and len(shown) > rows:
        count = sum("started" in step for step in shown)
        shown = shown[max(0, min(count - rows // 2, len(shown) - rows)) :][:rows]
    for step in shown:
        started = _moment(step["started"]) - origin if "started" in step else None
        table.add_row(
            f"{step['article_step']:>2}",
            step["title"],
            Text(step["state"], _STYLES[step["state"]]),
            str(step.get("tries", "")),
            f"{started.total_seconds():.2f}" if started is not None else "",
            f"{step['seconds']:.2f}" if "seconds" in step else "",
            *([_bar(step, started, span) if started is not None else ""] if bars else []),
        )
    return Group(table, *(_problem(step) for step in steps if "problem" in step))


def _folded(steps: Sequence[Document]) -> Iterable[Document]:
    """The steps; completed read-only steps are one row."""
    looks = [step for step in steps if step["name"] in _LOOKS and step["state"] == "done"]
    if looks:
        began, ended = min(look["started"] for look in looks), max(look["finished"] for look in looks)
        yield {
            "article_step": "",
            "title": f"{len(looks)} steps that only read",
            "state": "done",
            "started": began,
            "finished": ended,
            "seconds": (_moment(ended) - _moment(began)).total_seconds(),
            "tries": max(look["tries"] for look in looks),
        }
    yield from (step for step in steps if step not in looks)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _end(step: Document) -> datetime:
    return _moment(step["finished"]) if "finished" in step else datetime.now(UTC)


def _bar(step: Document, started: timedelta, span: timedelta) -> Text:
    """The step's place in the run; one that had to poll again is yellow."""
    column = max(span, timedelta(seconds=0.01)) / _BAR
    first = min(int(started / column), _BAR - 1)
    length = max(1, min(round((_end(step) - _moment(step["started"])) / column), _BAR - first))
    waited = step["state"] == "done" and step["tries"] > 1
    return Text(" " * first).append("━" * length, "yellow" if waited else _STYLES[step["state"]])


def _problem(step: Document) -> Text:
    text = Text(f" {step['state']}: ", _STYLES[step["state"]])
    return text.append(f"{step['problem']['title']}. {step['problem']['detail']}", "default")


def plan(planned: Document) -> Group:
    """What a start would do with every object, and the addresses, the price and the obstacles."""
    table = _table("", "Object", "Name")
    table.columns[2].max_width = _NAME
    for step in planned["steps"]:
        name = Text(step["name"]) if "name" in step else Text(step["title"], "dim")
        table.add_row(Text(step["action"], _STYLES.get(step["action"], "")), step["step"].replace("_", " "), name)
    facts = planned["facts"]
    addresses = f"VNet {', '.join(facts['address_prefixes'])}, project VPC {facts['project_network_cidr']}: no overlap"
    known = Table.grid(padding=(0, 2))
    known.add_row("addresses", addresses)
    known.add_row("price", f"{facts['hourly_price_usd']} USD an hour, by Aiven's price list")
    known.add_row("obstacles", ", ".join(problem["code"] for problem in planned["obstacles"]) or "none")
    return Group(table, Text(), known)


def verdict(health: Document) -> Group:
    """A verdict with its problems."""
    head = Text("verdict  ").append(health["verdict"], _STYLES[health["verdict"]])
    if not health["problems"]:
        return Group(head.append("  no problem on either side", "default"))
    found = Table.grid(padding=(0, 2))
    for problem in health["problems"]:
        found.add_row("", Text(problem["code"], "red"), short(problem["detail"]))
    return Group(head, found)


def comparison(states: Mapping[str, Document]) -> Table:
    """The number of objects of each kind in the cloud at several times."""
    table = _table("Objects in both tenants and at Aiven", *states, right=tuple(states))
    kinds = next(iter(states.values()))
    for kind in kinds:
        counts = [len(state[kind]) for state in states.values()]
        style = "default" if len(set(counts)) > 1 else "dim"
        table.add_row(_words(kind), *map(str, counts), style=style)
    return table


def short(text: str) -> str:
    """A text with every ARM id shortened to its last name."""
    return _ABOVE.sub("…/", text)


def _words(kind: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind)


def differences(before: Document, after: Document) -> list[str]:
    """The objects that differ between two states, by their kind and id."""
    found = []
    for kind in sorted({*before, *after}):
        one, other = before.get(kind, []), after.get(kind, [])
        changed = [thing for thing in one if thing not in other] + [thing for thing in other if thing not in one]
        found += [f"{_words(kind)}: {thing.get('id') or thing.get('name') or thing}" for thing in changed]
    return found


def summary(stages: Sequence[tuple[str, str, str, float]]) -> Table:
    """The stages of a life cycle: the request, the result and the duration of each."""
    table = _table("", "Request", "Result", "Took s", right=("Took s",))
    table.columns[2].no_wrap = False
    for name, request, outcome, seconds in stages:
        table.add_row(Text(name, "bold"), Text(request, "cyan"), Text.from_markup(outcome), f"{seconds:.1f}")
    return table
