"""Commands that start peerings: plan, start, apply."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from command_line.changes import Changes, carry_out, planned, prunable
from command_line.commands.arguments import DetailedExitCode, Files, NoWait, Yes, pairs
from command_line.failures import ExitCode, Failure
from command_line.files import read, value
from command_line.follow import ended, follow
from command_line.session import Session, session
from command_line.tables import of_accepted, of_outcomes, of_plan

Project = Annotated[str | None, typer.Option(help="The Aiven project.", show_default=False)]
ProjectVpc = Annotated[str | None, typer.Option("--project-vpc-id", help="Its VPC's id.", show_default=False)]
Organization = Annotated[
    str | None, typer.Option("--organization-id", help="Or the Aiven organization.", show_default=False)
]
OrganizationVpc = Annotated[str | None, typer.Option("--organization-vpc-id", help="Its VPC's id.", show_default=False)]
VNet = Annotated[str | None, typer.Option("--vnet-id", help="The ARM id of the VNet.", show_default=False)]
Further = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other field of the request.")
]


def plan(
    context: typer.Context,
    project: Project = None,
    project_vpc_id: ProjectVpc = None,
    organization_id: Organization = None,
    organization_vpc_id: OrganizationVpc = None,
    vnet_id: VNet = None,
    further: Further = None,
    files: Files = None,
    detailed_exitcode: DetailedExitCode = False,
) -> None:
    """Plan a start: what it would create, find, change or adopt; changes nothing."""
    found = session(context)
    vpc = {"project": project, "project_vpc_id": project_vpc_id}
    vpc |= {"organization_id": organization_id, "organization_vpc_id": organization_vpc_id}
    body = _request({**vpc, "vnet_id": vnet_id}, further)
    if files and body:
        what = f"{', '.join(body)}: not together with --file."
        raise Failure(what, "Write them into the file, or leave out --file.", ExitCode.USAGE)
    if files:
        changes = _plan_all(found, files)
        found.show(changes.documents(), lambda _: changes.plan())
        _end(changes, detailed_exitcode)
        return
    _check_given(body, "plan")
    document = found.api.post("/peerings", body, dryRun="true")
    found.show(document, of_plan)
    if document["result"] in ("blocked", "leave"):
        raise Failure("A start would fail.", "Fix the obstacles above.")
    if detailed_exitcode and document["result"] != "find":
        raise typer.Exit(ExitCode.CHANGES)


def start(
    context: typer.Context,
    project: Project = None,
    project_vpc_id: ProjectVpc = None,
    organization_id: Organization = None,
    organization_vpc_id: OrganizationVpc = None,
    vnet_id: VNet = None,
    further: Further = None,
    no_wait: NoWait = False,
) -> None:
    """Start one peering, or join its run, and follow it. To start many, use apply."""
    found = session(context)
    vpc = {"project": project, "project_vpc_id": project_vpc_id}
    vpc |= {"organization_id": organization_id, "organization_vpc_id": organization_vpc_id}
    body = _request({**vpc, "vnet_id": vnet_id}, further)
    _check_given(body, "start")
    accepted = found.api.post("/peerings", body)
    if no_wait:
        found.show(accepted, lambda one: of_accepted([one]))
    else:
        ended(found, follow(found, [accepted["id"]]), of_outcomes, {accepted["id"]: accepted["run"]})


def apply(
    context: typer.Context,
    files: Files = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also remove peerings with the labels of all entries that are no entry.")
    ] = False,
    yes: Yes = False,
    no_wait: NoWait = False,
    detailed_exitcode: DetailedExitCode = False,
) -> None:
    """Apply files of peerings: plan all, show the changes, ask for confirmation, start, follow."""
    found = session(context)
    changes = _plan_all(found, files, prune=prune)
    if changes.todo:
        found.notes.print(changes.plan())
        found.confirm(changes.question, yes=yes)
        carry_out(found, changes, follows=not no_wait)
        found.show(changes.documents(), lambda _: changes.outcome())
    else:
        found.show(changes.documents(), lambda _: changes.plan())
    _end(changes, detailed_exitcode)


def _plan_all(found: Session, files: list[Path] | None, *, prune: bool = False) -> Changes:
    if not files:
        raise Failure("Which files?", "Give -f FILE, once or more.", ExitCode.USAGE)
    listed = read(files)
    changes = planned(found, [entry for one in listed for entry in one.entries])
    if prune:
        changes.rows += prunable(found, listed, changes)
    return changes


def _end(changes: Changes, detailed_exitcode: bool) -> None:
    if changes.wrong:
        raise Failure(f"{len(changes.wrong)} of {len(changes.rows)} cannot be done.", "They are listed above.")
    if detailed_exitcode and changes.todo:
        raise typer.Exit(ExitCode.CHANGES)


def _check_given(body: Mapping[str, object], verb: str) -> None:
    """Refuse a request without any field: the app would name the first missing one alone."""
    if not body:
        remedy = "Give --project and --project-vpc-id, or --organization-id and --organization-vpc-id; and --vnet-id."
        raise Failure(f"Which peering is to {verb}?", remedy, ExitCode.USAGE)


def _request(named: Mapping[str, str | None], further: list[str] | None) -> dict[str, Any]:
    """The body of a start; the app reports missing and invalid fields."""
    set_ = {name: value(text) for name, text in pairs(further, "--set").items()}
    return {name: value for name, value in named.items() if value is not None} | set_
