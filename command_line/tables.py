"""Responses as tables for people, in 80 columns."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from command_line.failures import Document, told

#: Colours for words that the API uses; a word that is not here has none.
STYLES: Final = {
    **dict.fromkeys(("connected", "healthy", "done", "create", "add", "pass", "ok"), "green"),
    **dict.fromkeys(("waiting", "degraded", "unknown", "update", "adopt", "recreate", "warning", "keep"), "yellow"),
    **dict.fromkeys(("failed", "broken", "problem", "blocked", "wrong", "leave", "delete", "fail", "remove"), "red"),
    **dict.fromkeys(("running", "repairing", "rotating", "removing", "stopping", "rolling-back", "find"), "cyan"),
    **dict.fromkeys(("pending", "gone", "superseded", "removed", "hand back"), "dim"),
}
#: Steps that no other step waits for.
_NEEDLESS: Final = "not needed"
_ABOVE: Final = re.compile(r"/subscriptions/[^\s,]*/")
_LAST_RUNS: Final = 3


def table(*columns: str, right: Iterable[str] = (), fold: Iterable[str] = ()) -> Table:
    """A table without lines but the one below its head; where the terminal is too narrow, only `fold` gives way."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True, header_style="bold")
    for column in columns:
        folded = column in fold
        made.add_column(
            column,
            no_wrap=not folded,
            overflow="fold" if folded else "ellipsis",
            justify="right" if column in right else "left",
        )
    return made


def word(text: object) -> Text:
    """A word of the API in its colour."""
    return Text(str(text or ""), STYLES.get(str(text), ""))


def last_name(arm_id: object) -> str:
    """The last name in an ARM id."""
    return str(arm_id or "").rpartition("/")[2]


def short(text: str) -> str:
    """A text with every ARM id shortened to its last name."""
    return _ABOVE.sub("…/", text)


def ago(moment: str | None) -> str:
    """How long ago a time was, or when it will be."""
    if not moment:
        return ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if abs(seconds) >= unit:
            return f"{seconds // unit:.0f} {name} ago" if seconds > 0 else f"in {-seconds // unit:.0f} {name}"
    return "now"


def of_anything(document: object) -> RenderableType:
    """A document of any shape: a list of objects is a table, an object a list of its parts, the rest as it is."""
    if isinstance(document, list) and document and all(isinstance(row, Mapping) for row in document):
        columns = list(dict.fromkeys(name for row in document for name in row))
        made = table(*columns, fold=columns)
        for row in document:
            made.add_row(*(word(_cell(row.get(name))) for name in columns))
        return made
    if isinstance(document, list):
        return Text("\n".join(_cell(one) for one in document))
    if isinstance(document, Mapping):
        return grid(*((str(name), _cell(value)) for name, value in document.items()))
    return Text(_cell(document))


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_cell(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def grid(*rows: tuple[str, RenderableType]) -> Table:
    """Names with their values, one per line; empty values are left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        if value:
            made.add_row(name, value)
    return made


def below(part: RenderableType) -> RenderableType:
    """A part with an empty line above it."""
    return Group(Text(), part)


def indented(part: RenderableType) -> RenderableType:
    """A part that belongs to the one above it."""
    return Padding(part, (0, 0, 0, 2), expand=False)


def problem(document: Document, style: str = "red") -> RenderableType:
    """A problem with its remedy and its causes."""
    what = Text(short(told(document)), style)
    if document.get("code"):
        what.append(f" ({document['code']})", "dim")
    parts: list[RenderableType] = [what]
    if document.get("remedy"):
        parts.append(Text(f"{document.get('fixable_by', '')}: {document['remedy']}".removeprefix(": "), "default"))
    inner = [*document.get("causes", ()), *document.get("also", ())]
    parts += [indented(problem(one)) for one in inner]
    return Group(*parts)


def of_peerings(rows: Sequence[Document]) -> RenderableType:
    """The list of peerings."""
    if not rows:
        return Text("None.", "dim")
    made = table("id", "VNet", "Aiven", "state", "verdict", "problem", fold=("VNet", "Aiven", "problem"))
    for row in rows:
        vnet, state = last_name(row["vnet_id"]), word(row["state"])
        if "paused_until" in row:
            state.append(" paused", "yellow")
        made.add_row(row["id"][:8], vnet, owner_of(row), state, word(row.get("verdict")), _worst(row["problems"]))
    return made


def owner_of(document: Document) -> str:
    """The owner of the VPC in Aiven: the project or the organization."""
    return str(document.get("project") or document.get("organization_id") or "")


def _worst(problems: Sequence[Document]) -> str:
    """The first of some problems, and the number of the others."""
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    return f"{problems[0]['title']}{more}" if problems else ""


def of_peering(status: Document) -> RenderableType:
    """The status of one peering."""
    spec, health = status["peering"], status.get("health", {})
    verdict = word(health.get("verdict"))
    if health:
        verdict.append(f"  since {ago(health['since'])}, checked {ago(health['checked'])}", "dim")
    head = grid(
        ("id", status["id"]),
        ("state", _state(status)),
        ("verdict", verdict),
        ("VNet", f"{last_name(spec['vnet_id'])}  {spec['vnet_id'].split('/')[2]}"),
        ("Aiven", f"{owner_of(spec)}  {spec.get('project_vpc_id') or spec.get('organization_vpc_id')}"),
        ("paused", pauses_told(status)),
        ("labels", _cell(status.get("labels") or {})),
        ("note", str(status.get("note") or "")),
        (
            "asked for",
            f"{ago(status.get('requested'))} by {status['requested_by']['name']}" if "requested_by" in status else "",
        ),
    )
    parts: list[RenderableType] = [head, Text(), of_steps(status)]
    parts += [below(problem(one)) for one in health.get("problems", ())]
    if "problem" in status:
        parts.append(below(problem(status["problem"])))
    if runs := status.get("runs"):
        parts += [Text(), of_runs(list(reversed(runs[-_LAST_RUNS:])))]
    return Group(*parts)


def pause_told(pause: Document, resume: str = "peering resume") -> str:
    """Who paused the checks, why and until when."""
    until = f"until {pause['until']}" if pause.get("until") else f"until {resume}"
    return f"{until}, by {pause['by']['name']}: {pause['why']}"


def pauses_told(status: Document) -> str:
    """The pauses that apply to a peering: its own, and that of all."""
    told_pauses = [pause_told(status["paused"])] if "paused" in status else []
    told_pauses += [f"with all peerings {pause_of_all_told(status['paused_all'])}"] if "paused_all" in status else []
    return "; ".join(told_pauses)


def pause_of_all_told(pause: Document) -> str:
    """The same of the pause of all peerings."""
    return pause_told(pause, "peering resume --all")


def of_pauses(statuses: Sequence[Document]) -> RenderableType:
    """Whether the automatic checks of peerings are active or paused."""
    made = table("id", "VNet", "automatic checks and repairs", fold=("VNet", "automatic checks and repairs"))
    for one in statuses:
        pauses = pauses_told(one)
        told_pauses = f"paused {pauses}" if pauses else "active"
        made.add_row(one["id"][:8], last_name(one["peering"]["vnet_id"]), told_pauses)
    return made


def of_pause(changed: Document) -> RenderableType:
    """Whether the automatic checks of all or many peerings are active or paused."""
    which = "all, including future ones" if changed["all"] else f"{len(changed['peerings'])} peerings"
    tell = pause_of_all_told if changed["all"] else pause_told
    told_pause = f"paused {tell(changed['pause'])}" if changed["pause"] else "active"
    return grid(
        ("peerings", which), ("automatic checks and repairs", told_pause), ("ids", "\n".join(changed["peerings"]))
    )


def of_checks_begun(begun: Document) -> RenderableType:
    """The checks that were started: each with its run, or the one of all peerings."""
    if "run" in begun:
        joined = "was already running" if begun["joined"] else "has started"
        return Text(f"The check of all peerings {joined}. Its results: peering list")
    made = table("id", "run", "")
    for one in begun["checks"]:
        made.add_row(one["id"], one["run"], "joined" if one["joined"] else "")
    return made if made.rows else Text("None.", "dim")


def of_marks(status: Document) -> RenderableType:
    """A peering's labels and its note."""
    labels, note = _cell(status.get("labels") or {}) or "none", str(status.get("note") or "none")
    return grid(
        ("id", status["id"]), ("VNet", last_name(status["peering"]["vnet_id"])), ("labels", labels), ("note", note)
    )


def _state(status: Document) -> Text:
    state = word(status["state"])
    if pauses_told(status):
        state.append("  paused", "yellow")
    return state.append("  check in progress", "dim") if status.get("checking") else state


def of_steps(status: Document) -> RenderableType:
    """The steps of the current or last run."""
    at_rest = "phase" not in status
    made = table("", f"step of {status['operation']}", "state", "tries", "took s", right=("tries", "took s"))
    for step in status["steps"]:
        # What is at rest has only steps that were done; the others are for another time.
        if step["state"] == _NEEDLESS or (at_rest and "started" not in step):
            continue
        took = f"{step['seconds']:.1f}" if "seconds" in step else ""
        number, state = str(step["article_step"]), word(step["state"])
        made.add_row(number, step["title"], state, str(step.get("tries", "")), took)
    waits = [step for step in status["steps"] if step["state"] == "waiting" and "problem" in step]
    told_waits = [
        Text(f"{step['problem']['title']} Next poll {ago(step.get('next_look'))}.", "yellow") for step in waits
    ]
    return Group(made, *told_waits) if made.rows else Text("no step is under way", "dim")


def of_accepted(answers: Sequence[Document]) -> RenderableType:
    """Accepted requests: they are stored, and are carried out without the client."""
    made = table("id", "run", "state", "")
    for one in answers:
        made.add_row(one["id"], one["run"], word(one["state"]), "joined" if one["joined"] else "")
    return made


def of_outcomes(statuses: Sequence[Document]) -> RenderableType:
    """The results of runs."""
    made = table("id", "VNet", "operation", "state", "verdict", fold=("VNet",))
    for one in statuses:
        vnet, verdict = last_name(one["peering"]["vnet_id"]), one.get("health", {}).get("verdict")
        made.add_row(one["id"][:8], vnet, one["operation"], word(one["state"]), word(verdict))
    return Group(made, *(below(problem(one["problem"])) for one in statuses if "problem" in one))


def of_verdicts(statuses: Sequence[Document]) -> RenderableType:
    """The results of checks."""
    made = table("id", "VNet", "state", "verdict", fold=("VNet",))
    for one in statuses:
        vnet, verdict = last_name(one["peering"]["vnet_id"]), one.get("health", {}).get("verdict")
        made.add_row(one["id"][:8], vnet, word(one["state"]), word(verdict))
    found = [one for status in statuses for one in status.get("health", {}).get("problems", ())]
    ended = [status["problem"] for status in statuses if "problem" in status]
    return Group(made, *(below(problem(one)) for one in ended), *(below(problem(one, "yellow")) for one in found))


def of_checks(checks: Sequence[Document]) -> RenderableType:
    """The checks of the app and the settings, with the remedies of failed ones."""
    made = table("", "check", "what was seen", fold=("what was seen",))
    for one in checks:
        result = one.get("result") or one.get("state") or one.get("status")
        seen = Text(short(str(one.get("detail") or "")))
        if one.get("remedy"):
            seen.append(f"\n{one['remedy']}", "dim")
        made.add_row(word(result), short(str(one.get("name") or one.get("check") or "")), seen)
    return made


def of_runs(runs: Sequence[Document]) -> RenderableType:
    """The requests and their results."""
    made = table("run", "operation", "begun", "ended as", "by", fold=("by",))
    for run in runs:
        made.add_row(run["run"], run["operation"], ago(run["started"]), word(run.get("state")), run["by"]["name"])
    return made


def of_run(run: Document) -> RenderableType:
    """One run: who requested it, its result, and its steps."""
    head = grid(
        ("run", run["run"]),
        ("VNet", last_name(run["peering"]["vnet_id"])),
        ("operation", run["operation"]),
        ("ended as", word(run.get("state") or "under way")),
        ("by", run["by"]["name"]),
        ("begun", f"{run['started']}  {ago(run['started'])}"),
        ("ended", str(run.get("ended") or "")),
    )
    made = table("step", "state", "tries", "began", right=("tries",))
    for name, step in run.get("steps", {}).items():
        made.add_row(name, word(step["state"]), str(step["tries"]), step["started"])
    problems = [below(problem(run["problem"]))] if "problem" in run else []
    return Group(head, *([below(made)] if made.rows else []), *problems)


def of_plan(plan: Document) -> RenderableType:
    """What a start or a removal would do with every object, and its obstacles."""
    made = table("", "object", "", "name", fold=("name",))
    # The titles are those of the steps that create the objects.
    removes = "changes" not in plan
    for step in plan["steps"]:
        # A why tells more than an id.
        name = step.get("why") or step.get("name") or last_name(step.get("id"))
        title = object_told(step["step"]) if removes else step["title"]
        made.add_row(str(step["article_step"]), title, word(step["action"]), name)
    changes = [Text(change_told(one), "yellow") for one in plan.get("changes", ())]
    notes: list[RenderableType] = [problem(one) for one in plan["obstacles"]]
    notes += [problem(one, "yellow") for one in plan["waits"]]
    notes += [Text(short(warning), "yellow") for warning in plan["warnings"]]
    facts = plan.get("facts", {})
    price = f"{facts['hourly_price_usd']} USD an hour" if "hourly_price_usd" in facts else ""
    head = grid(("VNet", last_name(plan["peering"]["vnet_id"])), ("result", word(plan["result"])), ("price", price))
    return Group(head, Text(), made, *changes, *(below(one) for one in notes))


def object_told(step: str) -> str:
    """An object by the name of its step."""
    words = step.replace("_", " ").replace("vnet", "VNet")
    return words[:1].upper() + words[1:]


def change_told(change: Document) -> str:
    """One option that would change, on one line: a note may have several."""
    old, new = (" ".join(_cell(change[name]).split("\n")) or "(none)" for name in ("old", "new"))
    refused = f" (stays: {change['refused']})" if "refused" in change else ""
    return f"{change['option']}: {old} → {new}{refused}"


def of_problems(problems: Sequence[Document]) -> RenderableType:
    """The catalogue."""
    made = table("code", "what it is", fold=("what it is",))
    for one in problems:
        made.add_row(one["code"], one["title"])
    return made


def of_problem(one: Document) -> RenderableType:
    """One problem of the catalogue."""
    fixer = one.get("fixer") or one.get("fixable_by", "")
    rows = (("code", one["code"]), ("title", one["title"]), ("meaning", one["meaning"]))
    return grid(*rows, ("who", fixer), ("remedy", one["remedy"]))
