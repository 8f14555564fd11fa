"""A peering's steps for a terminal."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

_STYLES: Final = {
    "done": "green",
    "running": "cyan",
    "waiting": "yellow",
    "failed": "bold red",
    "pending": "dim",
    "not needed": "dim",
}

#: A status document as the API gives it, decoded.
Status = Mapping[str, Any]


def timeline(status: Status) -> Group:
    """The steps in the article's order: when each began, how long it took, how many tries; below, what is awaited."""
    title = f"Peering {status['id']}: {status['state']}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "Step", "State"):
        table.add_column(column, no_wrap=True)
    for column in ("Start s", "Took s", "Tries"):
        table.add_column(column, justify="right", no_wrap=True)
    origin = _origin(status["steps"])
    steps = sorted(status["steps"], key=lambda step: step["article_step"])
    for step in steps:
        started = datetime.fromisoformat(step["started"]) - origin if "started" in step else None
        table.add_row(
            f"{step['article_step']:>2}",
            step["title"],
            Text(step["state"], _STYLES[step["state"]]),
            f"{started.total_seconds():.2f}" if started is not None else "",
            f"{step['seconds']:.2f}" if "seconds" in step else "",
            str(step.get("tries", "")),
        )
    return Group(table, *(_problem(step) for step in steps if "problem" in step))


def _problem(step: Status) -> Text:
    text = Text(f" {step['state']}: ", _STYLES[step["state"]])
    return text.append(f"{step['problem']['title']}. {step['problem']['detail']}", "default")


def _origin(steps: Sequence[Status]) -> datetime:
    started = [datetime.fromisoformat(step["started"]) for step in steps if "started" in step]
    return min(started, default=datetime.min.replace(tzinfo=UTC))
