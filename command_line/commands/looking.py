"""Commands that only read: list, show, runs, report, problems, export."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
import yaml

from command_line.commands.arguments import Filters, Id, OptionalIds, only, pairs
from command_line.failures import ExitCode, Failure, Unseen
from command_line.files import NOT_SHOWN, adoptable, as_file, doubtful, pair_of
from command_line.follow import at_once
from command_line.names import resolve
from command_line.reports import of_report
from command_line.session import session
from command_line.tables import of_peering, of_peerings, of_problem, of_problems, of_run, of_runs, pause_of_all_told


def list_(
    context: typer.Context,
    filters: Filters = None,
    sort: Annotated[str | None, typer.Option(metavar="NAME", help="changed, expires, state, verdict, ...")] = None,
) -> None:
    """All peerings with their states and verdicts."""
    found, order = session(context), {"sort": sort} if sort else {}
    found.show(list(found.api.peerings(**pairs(filters, "--filter"), **order)), of_peerings)
    if found.is_for_people and (pause := found.api.get("/peerings", limit="1").get("paused_all")):
        found.say(f"Automatic checks and repairs of all peerings are paused {pause_of_all_told(pause)}.", "yellow")


def show(context: typer.Context, identity: Id) -> None:
    """The status of one peering: its state, verdict, steps and problems."""
    found = session(context)
    found.show(found.api.get(f"/peerings/{only(found, identity)}"), of_peering)


def runs(
    context: typer.Context,
    identity: Id,
    run: Annotated[str | None, typer.Argument(help="One run alone.", show_default=False)] = None,
) -> None:
    """The runs of a peering: who requested what, and the results; also after its removal."""
    found = session(context)
    path = f"/peerings/{only(found, identity)}/runs"
    if run:
        found.show(found.api.get(f"{path}/{run}"), of_run)
    else:
        found.show(found.api.get(path)["runs"], of_runs)


def report(context: typer.Context, identity: Id) -> None:
    """A report for a network team to sign: networks, rights, objects, price."""
    found = session(context)
    path = f"/peerings/{only(found, identity)}/report"
    if not found.is_for_people:
        found.show(found.api.get(path, format="json"))
        return
    text = found.api.request("GET", path).text
    if found.out.is_terminal:
        found.out.print(of_report(text))
    else:
        typer.echo(text)


def problems(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(help="One problem alone.", show_default=False)] = None,
) -> None:
    """The problem catalogue: what each problem means, who can fix it, and how."""
    found = session(context)
    if code:
        found.show(found.api.get(f"/problems/{code}"), of_problem)
    else:
        found.show(found.api.get("/problems")["problems"], of_problems)


def export(
    context: typer.Context,
    ids: OptionalIds = None,
    filters: Filters = None,
    adoptable_too: Annotated[
        bool, typer.Option("--adoptable", help="Also connections of other owners, as entries with adopt.")
    ] = False,
    lost_too: Annotated[
        bool, typer.Option("--lost", help="Also peerings of this app that its registry does not have.")
    ] = False,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="Where to write them.")] = None,
) -> None:
    """Peerings as files for apply."""
    found = session(context)
    wanted = resolve(found.api, ids) if ids else [row["id"] for row in found.api.peerings(**pairs(filters, "--filter"))]
    entries = [as_file(one) for one in at_once(lambda one: found.api.get(f"/peerings/{one}"), wanted)]
    seen = found.api.get("/lost") if lost_too or adoptable_too else {}
    if adoptable_too:
        # An unrecorded peering has no other owner, and more of its options are known.
        own = {pair_of(one["request"]) for one in seen["lost"]}
        others = [adoptable(one) for one in found.api.get("/unmanaged")["unmanaged"]]
        entries += [one for one in others if pair_of(one) not in own]
    lost = seen["lost"] if lost_too else []
    entries += [one["request"] for one in lost]
    document: Mapping[str, object] = {"peerings": entries}
    if file is None:
        found.options.setdefault("output", "yaml")
        found.show(document)
    else:
        try:
            file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        except OSError as error:
            remedy = "Name a file in an existing folder."
            raise Failure(f"{file} cannot be written: {error.strerror}.", remedy, ExitCode.USAGE) from None
        found.say(f"{len(entries)} peerings are in {file}. To see differences: peering plan -f {file}")
    if lost:
        found.say(
            f"{len(lost)} of them were not in the registry. Options that no cloud shows have defaults: {NOT_SHOWN}."
        )
    for one in lost:
        if one["not_shown"]:
            found.say(
                f"{one['request']['vnet_id']}: the clouds do not show {doubtful(one)}. Complete it by hand.", "yellow"
            )
    if unseen := [*seen.get("problems", ()), *(problem for one in lost for problem in one["problems"])]:
        raise Unseen(unseen)
