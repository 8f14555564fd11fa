"""One episode of a workflow as the engine gives it to the worker, and what the workflow did in it, by kind and name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from local.host.worker import Worker
from local.processes import PROJECT

FOLDER: Final = Path(__file__).parent
#: What tells one action of the SDK from another; their inputs may have grown.
_TELLING: Final = ("functionName", "instanceId", "externalEventName")


class Episode(NamedTuple):
    """A workflow's whole history up to its end, or to the moment when it continued as new; and what it did."""

    workflow: str
    context: str
    actions: list[list[str]]


def actions_of(state: dict[str, Any]) -> list[list[str]]:
    """What a workflow asked the engine for, in order: of each action its kind and its name.

    Args:
        state: what the SDK answers for an episode.
    """
    return [_told(action) for batch in state["actions"] for action in batch]


def _told(action: dict[str, Any]) -> list[str]:
    inner = [part for one in action.get("compoundActions", []) for part in _told(one)]
    return [str(action["actionType"]), *(str(action[name]) for name in _TELLING if name in action), *inner]


@contextmanager
def worker() -> Iterator[Worker]:
    """Today's app."""
    loaded = Worker(PROJECT)
    try:
        yield loaded
    finally:
        loaded.close()


async def replayed(app: Worker, episode: Episode) -> list[list[str]]:
    """What today's workflow does with a recorded history.

    Raises:
        AssertionError: it fails, which is how the SDK tells of a history that another workflow has made.
    """
    state = await app.orchestrator(episode.workflow, episode.context)
    assert "error" not in state, state["error"]
    assert state["isDone"], "it waits for something that its history does not have"
    return actions_of(state)


def kept(release: Path) -> list[Episode]:
    """The episodes of a release."""
    return [Episode(**json.loads(line)) for line in release.read_text().splitlines()]


def keep(release: Path, episodes: list[Episode]) -> None:
    """Write the episodes of a release."""
    release.write_text("".join(f"{json.dumps(one._asdict())}\n" for one in episodes))
