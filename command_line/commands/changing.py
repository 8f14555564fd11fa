"""Commands for existing peerings: check, rotate, cancel, pause, resume, label, remove."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from command_line.commands.arguments import All, Filters, Id, Ids, NoWait, OptionalIds, Yes, of_many, only
from command_line.failures import Document, ExitCode, Failure, told
from command_line.follow import at_once, ended, follow
from command_line.names import resolve
from command_line.session import Session, session
from command_line.tables import (
    of_accepted,
    of_checks_begun,
    of_marks,
    of_outcomes,
    of_pause,
    of_pauses,
    of_plan,
    of_verdicts,
)


def check(
    context: typer.Context,
    ids: OptionalIds = None,
    filters: Filters = None,
    every: All = False,
    no_wait: NoWait = False,
) -> None:
    """Check both clouds now, and repair what is safe to repair; does not wait for a check of all."""
    found, many = session(context), of_many(ids, filters, every)
    if many is None:
        wanted = resolve(found.api, ids or ())
        statuses = _asked(found, wanted, lambda one: found.api.post(f"/peerings/{one}/check"), no_wait, of_verdicts)
    else:
        statuses = _checked(found, many, no_wait or every)
    unhealthy = [one["id"] for one in statuses if one.get("health", {}).get("verdict") != "healthy"]
    if unhealthy:
        raise Failure(f"Not healthy: {', '.join(unhealthy)}.", "peering show lists the problems.")


def _checked(found: Session, filters: Mapping[str, str], no_wait: bool) -> list[Document]:
    """Check all matching peerings and follow the checks; returns the statuses of the followed ones."""
    begun = found.api.post("/checks", **filters)
    if no_wait:
        found.show(begun, of_checks_begun)
        statuses = []
    else:
        statuses = follow(found, [one["id"] for one in begun["checks"]])
        found.show(statuses, of_verdicts)
    _tell_failed(begun)
    return statuses


def _tell_failed(changed: Document) -> None:
    """Fail with the reason why a change of many peerings was refused.

    Raises:
        Failure: it was refused for one.
    """
    if failed := changed["failed"]:
        named = " ".join(f"{one['id']}: {told(one['problem'])}" for one in failed)
        raise Failure(f"Refused for {len(failed)}. {named}", failed[0]["problem"].get("remedy", ""))


def rotate(
    context: typer.Context,
    ids: Ids,
    credential: Annotated[
        str | None, typer.Option(metavar="KIND", help="Another kind: federated or secret.", show_default=False)
    ] = None,
    no_wait: NoWait = False,
) -> None:
    """Rotate the credential: the new one is verified before the old one is removed."""
    found = session(context)
    body = {"credential": credential} if credential else {}
    wanted = resolve(found.api, ids)
    _asked(found, wanted, lambda one: found.api.post(f"/peerings/{one}/rotate", body), no_wait, of_outcomes)


def cancel(context: typer.Context, ids: Ids, no_wait: NoWait = False) -> None:
    """Stop the current run, and keep what exists."""
    found = session(context)
    wanted = resolve(found.api, ids)
    accepted = at_once(lambda one: found.api.post(f"/peerings/{one}/cancel"), wanted)
    if no_wait:
        found.show(accepted, of_accepted)
    else:
        # A cancelled run has not succeeded, as requested.
        found.show(follow(found, wanted), of_outcomes)


def pause(
    context: typer.Context,
    why: Annotated[str, typer.Option(help="The reason for the pause.")],
    ids: OptionalIds = None,
    filters: Filters = None,
    every: All = False,
    until: Annotated[str | None, typer.Option(help="When it ends automatically, such as 2030-01-31T08:00:00Z.")] = None,
) -> None:
    """Exclude peerings from automatic checks and repairs, until resume or a given time; --all includes future ones."""
    body = {"why": why, **({"until": until} if until else {})}
    _each(session(context), ids, of_many(ids, filters, every), "pause", body)


def resume(context: typer.Context, ids: OptionalIds = None, filters: Filters = None, every: All = False) -> None:
    """Include peerings in automatic checks and repairs again; --all ends the pause of all."""
    _each(session(context), ids, of_many(ids, filters, every), "resume")


def _each(
    found: Session,
    ids: Sequence[str] | None,
    many: Mapping[str, str] | None,
    what: str,
    body: Document | None = None,
) -> None:
    """Pause or resume peerings that are named, or all that match."""
    if many is None:
        wanted = resolve(found.api, ids or ())
        found.show(at_once(lambda one: found.api.post(f"/peerings/{one}/{what}", body), wanted), of_pauses)
        return
    changed = found.api.post(f"/{what}", body, **many)
    found.show(changed, of_pause)
    _tell_failed(changed)


def label(
    context: typer.Context,
    identity: Id,
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE | NAME-]...", help="Labels to set or to remove.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="The note; an empty one removes it.")] = None,
) -> None:
    """Set or remove labels and the note of a peering."""
    found = session(context)
    path = f"/peerings/{only(found, identity)}"
    body: dict[str, object] = {} if note is None else {"note": note or None}
    if labels:
        body["labels"] = _labels(labels)
    if not body:
        raise Failure("Which labels?", "Write NAME=VALUE, NAME- or --note TEXT.", ExitCode.USAGE)
    found.show(found.api.document("PATCH", path, body), of_marks)


def _labels(given: Sequence[str]) -> dict[str, str | None]:
    """The labels to set, and with None those to remove."""
    wanted = dict[str, str | None]()
    for one in given:
        name, equals, value = one.partition("=")
        if equals and name:
            wanted[name] = value
        elif one.endswith("-"):
            wanted[one[:-1]] = None
        else:
            raise Failure(f"{one}: must be NAME=VALUE, or NAME- to remove it.", "Correct it.", ExitCode.USAGE)
    return wanted


def remove(context: typer.Context, ids: Ids, yes: Yes = False, no_wait: NoWait = False) -> None:
    """Remove what the app created; shows the plan, and asks for confirmation."""
    found = session(context)
    wanted = resolve(found.api, ids)
    plans = at_once(lambda one: found.api.document("DELETE", f"/peerings/{one}", dryRun="true"), wanted)
    found.notes.print(Group(*(part for plan in plans for part in (of_plan(plan), Text()))))
    found.confirm(f"Remove {len(wanted)} peering{'s' * (len(wanted) > 1)}?", yes=yes)
    _asked(found, wanted, lambda one: found.api.document("DELETE", f"/peerings/{one}"), no_wait, of_outcomes)


def _asked(
    found: Session,
    wanted: Sequence[str],
    ask: Callable[[str], Document],
    no_wait: bool,
    table_of: Callable[[list[Document]], RenderableType],
) -> list[Document]:
    """Request a change, follow its run, and show the result."""
    accepted = at_once(ask, wanted)
    if no_wait:
        found.show(accepted, of_accepted)
        return []
    statuses = follow(found, wanted)
    # A check leaves no run in the status: its peering tells.
    runs = {one["id"]: one["run"] for one in accepted if one["state"] != "checking"}
    ended(found, statuses, table_of, runs)
    return statuses
