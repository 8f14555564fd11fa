"""The command `peering`: its commands, and how it ends."""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Final, cast

import typer
from rich.text import Text
from typer.rich_utils import rich_format_error

from command_line.commands import changing, following, looking, setup, starting
from command_line.failures import ExitCode, Failure
from command_line.session import Session, command

app: Final = typer.Typer(
    name="peering",
    no_args_is_help=True,
    help="Peerings between Azure VNets and VPCs of Aiven projects and organizations, by the app's HTTP API.",
    epilog="Exit codes: 0 done, 1 a problem, 2 changes (with --detailed-exitcode), 3 no such peering, "
    "4 no access, 5 timeout, 64 wrong use, 130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
#: The class of all usage errors: Typer exports only some of its subclasses.
_USAGE_ERROR: Final = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
_START, _SEE, _ASK, _SET_UP = "Start", "Show", "Change", "The app and your set-up"
#: Every command: its name, what it does, and the heading that it stands below.
COMMANDS: Final[tuple[tuple[str, Callable[..., None], str], ...]] = (
    ("plan", starting.plan, _START),
    ("start", starting.start, _START),
    ("apply", starting.apply, _START),
    ("export", looking.export, _START),
    ("list", looking.list_, _SEE),
    ("show", looking.show, _SEE),
    ("watch", following.watch, _SEE),
    ("wait", following.wait, _SEE),
    ("runs", looking.runs, _SEE),
    ("report", looking.report, _SEE),
    ("problems", looking.problems, _SEE),
    ("check", changing.check, _ASK),
    ("rotate", changing.rotate, _ASK),
    ("cancel", changing.cancel, _ASK),
    ("pause", changing.pause, _ASK),
    ("resume", changing.resume, _ASK),
    ("label", changing.label, _ASK),
    ("remove", changing.remove, _ASK),
    ("doctor", setup.doctor, _SET_UP),
    ("open", setup.open_, _SET_UP),
)
for _name, _function, _heading in COMMANDS:
    app.command(_name, rich_help_panel=_heading)(command(_function))


def _say_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(version("aiven-azure-peering"))
        except PackageNotFoundError:
            typer.echo("not installed: run from its folder")
        raise typer.Exit


@app.callback()
def _root(
    version_wanted: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line, and end with its exit code."""
    session = Session()
    try:
        code = app(standalone_mode=False, obj=session, prog_name="peering")
        if code == ExitCode.INTERRUPTED:
            session.say("Interrupted.", "yellow")
    except Failure as failure:
        code = _told(session, failure)
    except typer.Abort:
        # The question and ^C stand on the line that the cursor is on.
        session.say("\nNothing was changed.")
        code = ExitCode.PROBLEM
    except _USAGE_ERROR as error:
        rich_format_error(error)
        code = ExitCode.USAGE
    sys.exit(int(code) if isinstance(code, int) else 0)


def _told(session: Session, failure: Failure) -> ExitCode:
    """Print a failure and its remedy."""
    style = "yellow" if failure.code == ExitCode.INTERRUPTED else "bold red"
    session.notes.print(Text(failure.what, style))
    for note in failure.notes:
        session.notes.print(Text(f"  {note}"))
    if failure.remedy:
        session.notes.print(Text(failure.remedy))
    return failure.code
