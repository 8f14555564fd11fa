"""Arguments that several commands have."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from command_line.failures import ExitCode, Failure
from command_line.names import completions, resolve
from command_line.session import Session, session


def _complete(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The completions for the shell; none if the app is not available."""
    found = session(context)
    # The command itself does not run, which would take them into its session.
    found.options |= {name: context.params[name] for name in ("endpoint", "profile") if context.params.get(name)}
    try:
        return completions(found.api, incomplete)
    except Failure:
        return []


_HELP = "The id, a unique beginning of it, or the VNet's name."
Id = Annotated[str, typer.Argument(metavar="ID", help=_HELP, autocompletion=_complete, show_default=False)]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help=_HELP, autocompletion=_complete, show_default=False)]
OptionalIds = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help=_HELP, autocompletion=_complete, show_default=False)
]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", "-f", metavar="FILE", help="YAML or JSON with peerings; - reads what comes in."),
]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="NAME=VALUE", help="Only those: state, verdict, project, problem, ..."),
]
All = Annotated[bool, typer.Option("--all", help="All peerings.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not follow the run.")]
DetailedExitCode = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit code 2 where there are changes.")]


def only(found: Session, given: str) -> str:
    """The one matching id."""
    return resolve(found.api, [given])[0]


def of_many(ids: Sequence[str] | None, filters: Sequence[str] | None, every: bool) -> dict[str, str] | None:
    """The filters of many peerings, empty for all; None if the peerings are listed by id.

    Raises:
        Failure: neither ids, filters nor --all are given, or several of them.
    """
    if sum(map(bool, (ids, filters, every))) != 1:
        raise Failure("Which peerings?", "Give either ids, or --filter NAME=VALUE, or --all.", ExitCode.USAGE)
    return None if ids else pairs(filters, "--filter")


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """Options of the form `name=value`.

    Raises:
        Failure: one has no equals sign.
    """
    split = [one.partition("=") for one in given or ()]
    for name, equals, value in split:
        if not (name and equals and value):
            remedy = f"Write {option} NAME=VALUE."
            raise Failure(f"{option} {name}{equals}{value}: must be a name and a value.", remedy, ExitCode.USAGE)
    return {name: value for name, _, value in split}
