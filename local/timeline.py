"""A peering's steps as a table for a terminal."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

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


def timeline(status: Status) -> Table:
    """The steps in the article's order: when each began, how long it took, how many tries, what it waits for."""
    table = Table(title=f"Peering {status['id']}: {status['state']}", title_justify="left", pad_edge=False)
    table.add_column("Step", justify="right")
    table.add_column("")
    table.add_column("State")
    for column in ("Start", "Seconds", "Tries"):
        table.add_column(column, justify="right")
    table.add_column("Waits for")
    origin = _origin(status["steps"])
    for step in sorted(status["steps"], key=lambda step: step["article_step"]):
        table.add_row(
            str(step["article_step"]),
            step["title"],
            Text(step["state"], _STYLES[step["state"]]),
            f"{(datetime.fromisoformat(step['started']) - origin).total_seconds():.2f}" if "started" in step else "",
            f"{step['seconds']:.2f}" if "seconds" in step else "",
            str(step.get("tries", "")),
            step["problem"]["title"] if "problem" in step else "",
        )
    return table


def _origin(steps: Sequence[Status]) -> datetime:
    started = [datetime.fromisoformat(step["started"]) for step in steps if "started" in step]
    return min(started, default=datetime.min.replace(tzinfo=UTC))
