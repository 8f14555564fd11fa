"""Following runs until their peerings have no current run, with live progress in a terminal."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from command_line.api import Api
from command_line.failures import Document, ExitCode, Failure, Refused
from command_line.session import Session
from command_line.tables import last_name, table, word

_AT_ONCE: Final = 8
#: Seconds between two polls: with one peering, and for each further one.
_PAUSE: Final = 1.0
_PAUSE_EACH: Final = 0.05
#: How long requests to an app that does not respond are repeated.
_SILENCE: Final = 120.0
#: Lines of the terminal that the live view leaves for its head and the prompt.
_HEAD: Final = 5
#: The words for current operations.
AT_WORK: Final = frozenset({"running", "repairing", "rotating", "removing", "stopping", "rolling-back"})
_DOING: Final = ("failed", "waiting", "running")
#: The outcomes of successful runs.
_WELL: Final = frozenset({"connected", "rotated", "removed"})

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_once(
    do: Callable[[Item], Result], items: Iterable[Item], each: Callable[[], None] = lambda: None
) -> list[Result]:
    """Call a function for many items, some in parallel; after an interruption none is begun.

    Args:
        do: what to do.
        items: for what.
        each: called after each item.
    """
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        results = []
        for result in pool.map(do, items):
            each()
            results.append(result)
        return results
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass
class Silence:
    """An outage of the app, which is tolerated for a short time."""

    since: float | None = None
    trouble: str = ""

    def bear(self, failure: Failure) -> None:
        """Note that a poll failed.

        Raises:
            Failure: the app does not respond for long, or refuses.
        """
        passing = isinstance(failure, Refused) and failure.problem.get("status", 0) >= 500
        if failure.code != ExitCode.NO_ACCESS and not passing:
            raise failure
        now = time.monotonic()
        self.since, self.trouble = self.since or now, failure.what
        if now - self.since > _SILENCE:
            raise failure

    def end(self) -> None:
        """Note that the app has answered."""
        self.since, self.trouble = None, ""


@dataclass
class Following:
    """The peerings that are followed, with the last known status of each."""

    api: Api
    ids: Sequence[str]
    seen: dict[str, Document] = field(default_factory=dict)
    silence: Silence = field(default_factory=Silence)

    @property
    def open(self) -> list[str]:
        """The peerings that have a current run, as far as is known."""
        return [one for one in self.ids if not is_at_rest(self.seen.get(one))]

    def look(self) -> None:
        """Read the status of the peerings with a current run; a short outage of the app is tolerated.

        Raises:
            Failure: the app does not respond for long, or refuses.
        """
        try:
            for status in at_once(lambda one: self.api.get(f"/peerings/{one}"), self.open):
                self.seen[status["id"]] = status
            self.silence.end()
        except Failure as failure:
            self.silence.bear(failure)

    @property
    def pause(self) -> float:
        """How long to wait until the next poll."""
        return _PAUSE + _PAUSE_EACH * len(self.ids)


def is_at_rest(status: Document | None) -> bool:
    """Whether a peering has no current run, and no open order."""
    return status is not None and "phase" not in status


def follow(session: Session, ids: Sequence[str], *, until: float | None = None) -> list[Document]:
    """Follow peerings until they have no current run; returns their statuses.

    Args:
        session: the command's.
        ids: the peerings.
        until: when to stop polling, by `time.monotonic`.

    Raises:
        Failure: the caller interrupts, the time is over, or the app no longer responds.
    """
    following = Following(session.api, ids)
    try:
        if session.notes.is_terminal:
            with Live(console=session.notes, auto_refresh=False, transient=True) as live:
                _until_rest(following, lambda: live.update(view(following, session.notes), refresh=True), until)
        else:
            _until_rest(following, lines(following, session), until)
    except KeyboardInterrupt:
        raise interrupted(following.open) from None
    return [following.seen[one] for one in ids]


def interrupted(ids: Collection[str]) -> Failure:
    """The message after an interruption."""
    named = " ".join(ids) if len(ids) <= 3 else ""
    return Failure("The runs continue.", f"To follow them: {f'peering watch {named}'.strip()}", ExitCode.INTERRUPTED)


def _until_rest(following: Following, show: Callable[[], None], until: float | None) -> None:
    while True:
        following.look()
        show()
        if not following.open:
            return
        if until is not None and time.monotonic() > until:
            count = len(following.open)
            raise Failure(f"{count} of them still have a current run.", "peering watch", ExitCode.TIME_OVER)
        time.sleep(following.pause)


def lines(following: Following, session: Session) -> Callable[[], None]:
    """A line for every peering whose state, or what it waits for, has changed."""
    said: dict[str, str] = {}

    def show() -> None:
        if following.silence.trouble:
            session.say(following.silence.trouble)
        for identity, status in following.seen.items():
            line = "  ".join((name_of(status), status["state"], *doing(status)))
            if said.get(identity) != line:
                said[identity] = line
                session.say(line)

    return show


def name_of(status: Document) -> str:
    """A peering's VNet."""
    return last_name(status["peering"]["vnet_id"])


def doing(status: Document) -> list[str]:
    """How many of its steps a peering has completed, and its current step."""
    if is_at_rest(status):
        return []
    done, needed = progress(status)
    current = sorted(
        (one for one in status["steps"] if one["state"] in _DOING), key=lambda one: _DOING.index(one["state"])
    )
    return [f"{done}/{needed}", *(one["title"] for one in current[:1])]


def progress(status: Document) -> tuple[int, int]:
    """The numbers of completed and of needed steps."""
    needed = [step for step in status["steps"] if step["state"] != "not needed"]
    return sum(step["state"] == "done" for step in needed), len(needed)


def view(following: Following, console: Console) -> RenderableType:
    """The current runs, at most as high as the terminal."""
    rows, single = max(3, console.size.height - _HEAD), len(following.ids) == 1
    body = _steps(following, rows) if single else _peerings(following, rows)
    trouble = [Text(f"{following.silence.trouble} Retrying.", "yellow")] if following.silence.trouble else []
    return Group(_head(following), Text(), body, *trouble)


def _head(following: Following) -> RenderableType:
    steps = [progress(status) for status in following.seen.values()] if len(following.ids) == 1 else []
    total, done = len(following.ids), len(following.ids) - len(following.open)
    done, total = steps[0] if steps else (done, total)
    counted: dict[str, int] = {}
    for status in following.seen.values():
        counted[status["state"]] = counted.get(status["state"], 0) + 1
    states = Text("  ").join(word(state).append(f" {count}", "default") for state, count in counted.items())
    if steps:
        status = following.seen[following.ids[0]]
        states = Text(f"{name_of(status)}  ").append_text(word(status["state"]))
    made = Table.grid(padding=(0, 2))
    made.add_row(ProgressBar(total=max(total, 1), completed=done, width=24), f"{done}/{total}", states)
    return made


def _steps(following: Following, rows: int) -> RenderableType:
    """The steps of the one peering: the current ones, and the most recent ones before them."""
    status: Mapping[str, list[Document]] = following.seen.get(following.ids[0], {"steps": []})
    begun = sorted((one for one in status["steps"] if "started" in one), key=lambda one: one["state"] in _DOING)
    made = table("step", "state", "tries", right=("tries",))
    for step in begun[-(rows - 2) :]:
        made.add_row(step["title"], word(step["state"]), str(step.get("tries", "")))
    return made


def _peerings(following: Following, rows: int) -> RenderableType:
    """The peerings with a current run, as many as fit."""
    running = [following.seen[one] for one in following.open if one in following.seen]
    shown = running if len(running) <= rows else running[: rows - 1]
    made = Table.grid(padding=(0, 2))
    for _ in range(4):
        made.add_column(no_wrap=True, overflow="ellipsis")
    for status in shown:
        count, what = (*doing(status), "", "")[:2]
        made.add_row(name_of(status), word(status["state"]), count, Text(what, "dim"))
    more = len(running) - len(shown)
    return Group(made, Text(f"and {more} more" if more else "", "dim"))


def is_well(status: Document, run: str | None = None) -> bool:
    """Whether a peering is at rest in a good state, or the requested run has succeeded.

    A stopped or superseded run has no problem, but did not succeed either.
    """
    ends = {one["run"]: one.get("state") for one in status.get("runs", ())}
    return "problem" not in status and (status["state"] if run is None else ends.get(run)) in _WELL


def ended(
    session: Session,
    statuses: Sequence[Document],
    table_of: Callable[[list[Document]], RenderableType],
    runs: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Show how runs ended.

    Args:
        session: the command's.
        statuses: how the peerings stand.
        table_of: draws them for people.
        runs: the runs that were asked for, by peering; without one, a peering's state is what counts.

    Raises:
        Failure: one of them has not succeeded.
    """
    if len(statuses) == 1:
        session.show(statuses[0], lambda one: table_of([one]))
    else:
        session.show(list(statuses), table_of)
    if failed := [name_of(status) for status in statuses if not is_well(status, runs.get(status["id"]))]:
        remedy = "peering show has the problem, peering runs lists later requests."
        raise Failure(f"It failed for {', '.join(failed)}.", remedy)
