"""The changes of files to the existing peerings, and how they are carried out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from command_line.failures import Document, ExitCode, Failure, Refused, told
from command_line.files import MARKS, Listed, Wanted
from command_line.follow import at_once, follow, is_well
from command_line.session import Session
from command_line.tables import below, change_told, indented, last_name, object_told, owner_of, short, table, word

#: The actions for entries, as the question counts them. The API's results keep their names.
CHANGING: Final = ("create", "update", "adopt", "continue", "label", "remove")
WRONG: Final = ("wrong", "blocked", "leave")
_AS_IT_IS: Final = "find"


@dataclass
class Row:
    """An entry of the files, or a peering that is no longer in them: its action and its result."""

    vnet_id: str
    project: str
    action: str
    where: str = ""
    id: str = ""
    wanted: Wanted | None = None
    patch: Mapping[str, object] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    problems: list[Document] = field(default_factory=list)
    state: str = ""
    run: str = ""

    def document(self) -> dict[str, object]:
        """The row as JSON; empty values are left out."""
        whole = {name: getattr(self, name) for name in ("where", "id", "project", "vnet_id", "action", "changes")}
        whole |= {"problems": self.problems, "state": self.state}
        return {name: value for name, value in whole.items() if value}


@dataclass
class Changes:
    """All changes."""

    rows: list[Row]

    @property
    def todo(self) -> list[Row]:
        """The rows with a change."""
        return [row for row in self.rows if row.action in CHANGING]

    @property
    def wrong(self) -> list[Row]:
        """The rows that have a problem, before or after their run."""
        return [row for row in self.rows if row.problems]

    @property
    def question(self) -> str:
        """The question before anything is changed."""
        counted = self._counted(CHANGING)
        left_out = sum(row.action in WRONG for row in self.rows)
        without = f", and skip {left_out} with problems" if left_out else ""
        return f"{', '.join(f'{action} {count}' for action, count in counted.items())}{without}?".capitalize()

    def _counted(self, actions: Sequence[str]) -> dict[str, int]:
        counts = {action: sum(row.action == action for row in self.rows) for action in actions}
        return {action: count for action, count in counts.items() if count}

    def documents(self) -> list[dict[str, object]]:
        """The rows as JSON."""
        return [row.document() for row in self.rows]

    def plan(self) -> RenderableType:
        """The changes by project, then each changed option and each problem, and at last the numbers."""
        made = table("", "Aiven", "", "VNets", right=("",), fold=("VNets",))
        for (action, project), rows in self._grouped(CHANGING).items():
            made.add_row(word(action), project, str(len(rows)), " ".join(last_name(row.vnet_id) for row in rows))
        changed = [Text(f"{last_name(row.vnet_id)}  {change}", "yellow") for row in self.rows for change in row.changes]
        parts: list[RenderableType] = [made] if made.rows else []
        return Group(*parts, *changed, *map(_told, self.wrong), Text(), self._numbers())

    def outcome(self) -> RenderableType:
        """The results: each problem, and the numbers."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.state or row.action] = counts.get(row.state or row.action, 0) + 1
        line = Text("  ").join(word(name).append(f" {count}", "default") for name, count in counts.items())
        return Group(*map(_told, self.wrong), line)

    def _grouped(self, actions: Sequence[str]) -> Mapping[tuple[str, str], list[Row]]:
        found: dict[tuple[str, str], list[Row]] = {}
        for row in sorted(self.rows, key=lambda row: (row.action, row.project, last_name(row.vnet_id))):
            if row.action in actions:
                found.setdefault((row.action, row.project), []).append(row)
        return found

    def _numbers(self) -> Text:
        parts = [f"{count} to {action}" for action, count in self._counted(CHANGING).items()]
        same, wrong = self._counted((_AS_IT_IS,)), len(self.wrong)
        parts += [f"{count} unchanged" for count in same.values()]
        parts += [f"{wrong} with problems"] if wrong else []
        return Text(f"{', '.join(parts) or 'nothing'}.", "bold")


def _told(row: Row) -> RenderableType:
    """An entry with a problem: its file and line, the reason, and the remedy."""
    lines: list[RenderableType] = [
        Text(f"{row.action}  {last_name(row.vnet_id) or '(no VNet)'}  {row.where}", "bold red")
    ]
    for problem in row.problems:
        rules = [f"{error['field']}: {error['rule']}" for error in problem.get("errors", ())]
        lines += [indented(Text(short(line))) for line in (told(problem), *rules)]
        if problem.get("remedy"):
            lines.append(indented(Text(problem["remedy"], "dim")))
    return below(Group(*lines))


def planned(session: Session, wanted: Sequence[Wanted]) -> Changes:
    """Plan every entry.

    Raises:
        Failure: the app cannot be asked.
    """
    known = {row["id"]: row for row in session.api.peerings()}
    with _progress(session) as progress:
        task = progress.add_task("planning", total=len(wanted))
        rows = at_once(lambda one: _row(session, one, known), wanted, lambda: progress.advance(task))
    firsts: dict[str, Row] = {}
    for row in rows:
        if row.id and (first := firsts.setdefault(row.id, row)) is not row:
            row.action = "wrong"
            row.problems = [{"detail": f"The same pair is in {first.where}.", "remedy": "Keep one of the two."}]
    return Changes(rows)


def _progress(session: Session) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn())
    return Progress(*columns, console=session.notes, transient=True, disable=not session.notes.is_terminal)


def _row(session: Session, wanted: Wanted, known: Mapping[str, Document]) -> Row:
    row = Row(str(wanted.body.get("vnet_id") or ""), owner_of(wanted.body), "wrong", wanted.where, wanted=wanted)
    try:
        plan = session.api.post("/peerings", wanted.whole, dryRun="true")
    except Refused as refused:
        row.problems = [refused.problem]
        return row
    row.id, row.action = plan["id"], plan["result"]
    row.changes = [change_told(change) for change in plan["changes"]]
    row.problems = list(plan["obstacles"])
    marks = [change for change in plan["changes"] if change["option"] in MARKS]
    options = [change for change in plan["changes"] if change not in marks]
    changes = any(step["action"] in ("create", "delete") for step in plan["steps"])
    recreated = [object_told(step["step"]) for step in plan["steps"] if step["action"] == "recreate"]
    row.changes += [f"{what}: deleted and created again" for what in recreated]
    row.changes += [f"{step['name']}: deleted" for step in plan["steps"] if step["action"] == "delete"]
    ours = row.action == _AS_IT_IS or (row.action == "update" and not options)
    if recreated and row.action in (_AS_IT_IS, "update"):
        row.action = "update"
    elif ours and known.get(row.id, {}).get("state") != "connected":
        row.action = "continue"
    elif row.action == "update" and not changes and all("refused" in option for option in options):
        row.action, row.patch = "label", _patch(marks)
    return row


def _patch(marks: Sequence[Document]) -> dict[str, object]:
    """The `PATCH` for the planned labels and note; labels that it does not name stay."""
    new = {change["option"]: change["new"] for change in marks}
    gone = {name: None for change in marks if change["option"] == "labels" for name in change["old"]}
    return {**new, "labels": {**gone, **new["labels"]}} if "labels" in new else new


def prunable(session: Session, listed: Sequence[Listed], changes: Changes) -> list[Row]:
    """The peerings that have the labels that all entries have, and are not among them.

    A list without entries stands for its labels: all its peerings are removed.

    Raises:
        Failure: the entries have no label in common, or the peering of one of them cannot be determined.
    """
    if any(not row.id for row in changes.rows):
        session.say("--prune removes nothing: the app cannot determine which peering an entry describes.", "yellow")
        return []
    groups = [group for one in listed for group in ([entry.labels for entry in one.entries] or [one.labels])]
    shared = dict(set.intersection(*(set(group.items()) for group in groups))) if groups else {}
    if not shared:
        what = "--prune: the entries have no label in common that identifies the other peerings of the file."
        remedy = "Write labels: above peerings: in the file, and apply it once without --prune to set them."
        raise Failure(what, remedy, ExitCode.USAGE)
    named = {row.id for row in changes.rows}
    others = [row["id"] for row in session.api.peerings() if row["id"] not in named]
    statuses = at_once(lambda one: session.api.get(f"/peerings/{one}"), others)
    return [
        Row(status["peering"]["vnet_id"], owner_of(status["peering"]), "remove", id=status["id"])
        for status in statuses
        if shared.items() <= (status.get("labels") or {}).items()
    ]


def carry_out(session: Session, changes: Changes, *, follows: bool) -> None:
    """Request every change, follow all runs, and record the results in the rows.

    Raises:
        Failure: the caller interrupts.
    """
    todo = changes.todo
    try:
        with _progress(session) as progress:
            task = progress.add_task("asking", total=len(todo))
            at_once(lambda row: _ask(session, row), todo, lambda: progress.advance(task))
    except KeyboardInterrupt:
        what = "Not everything was requested; the requested runs continue."
        raise Failure(what, "To follow them: peering watch", ExitCode.INTERRUPTED) from None
    accepted = [row for row in todo if row.state == "accepted"]
    if not follows or not accepted:
        return
    for row, status in zip(accepted, follow(session, [row.id for row in accepted]), strict=True):
        row.state = status["state"]
        if not is_well(status, row.run):
            stopped = {
                "detail": f"Its run was stopped; its state is {row.state}.",
                "remedy": "peering runs shows who stopped it.",
            }
            row.problems = [status.get("problem", stopped)]


def _ask(session: Session, row: Row) -> None:
    """Request the change of a row: of its labels and note alone, or its run."""
    try:
        if row.action == "label":
            session.api.document("PATCH", f"/peerings/{row.id}", row.patch)
            row.state = "labelled"
        else:
            row.run = _begun(session, row)["run"]
            row.state = "accepted"
    except Failure as failure:
        row.state = "refused" if isinstance(failure, Refused) else "unknown"
        known = failure.problem if isinstance(failure, Refused) else {"detail": failure.what, "remedy": failure.remedy}
        row.problems = [known]


def _begun(session: Session, row: Row) -> Document:
    """Request the run of a row: a removal, or a start, which also sets labels and note."""
    if row.wanted is None:
        return session.api.document("DELETE", f"/peerings/{row.id}")
    return session.api.post("/peerings", row.wanted.whole)
