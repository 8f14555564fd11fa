"""The shared parts of all commands: common options, the API, and the terminal."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import Parameter, signature
from typing import Annotated, Any, Final

import jmespath
import typer
import yaml
from jmespath.exceptions import JMESPathError
from rich.console import Console, RenderableType
from rich.text import Text

from command_line.api import Api
from command_line.failures import ExitCode, Failure
from command_line.settings import Settings, settings
from command_line.tables import of_anything

FORMATS: Final = ("table", "json", "yaml")
#: The width without a terminal: that of the longest line.
_UNBOUND: Final = 500
_PANEL: Final = "Options of every command"
#: Options of every command: the name, what it is followed by, and what it is for.
_SHARED: Final = (
    (("--endpoint",), "URL", "The app's address. [$PEERING_ENDPOINT]"),
    (("--profile",), "NAME", "A profile of the settings. [$PEERING_PROFILE]"),
    (("--output", "-o"), "|".join(FORMATS), "How to show the answer."),
    (("--query",), "JMESPATH", "What to show of the answer."),
)


@dataclass
class Session:
    """One call of the command."""

    options: dict[str, str] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """Where the app is, and how to sign in."""
        return settings(self.options)

    @cached_property
    def api(self) -> Api:
        """The app's API."""
        return Api(self.settings)

    @cached_property
    def out(self) -> Console:
        """The output. Rich leaves colours out with NO_COLOR, and without a terminal."""
        return Console(highlight=False, width=None if sys.stdout.isatty() else _UNBOUND)

    @cached_property
    def notes(self) -> Console:
        """Where everything goes that is no answer: progress, questions, failures."""
        return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _UNBOUND)

    @property
    def is_for_people(self) -> bool:
        """Whether the answer is shown as a person reads it, whole."""
        return self.options.get("output", "table") == "table" and "query" not in self.options

    def show(self, document: object, table: Callable[[Any], RenderableType] = of_anything) -> None:
        """Show an answer in the form that was asked for.

        Args:
            document: the answer.
            table: draws it for people.

        Raises:
            Failure: the query is none.
        """
        form = self.options.get("output", "table")
        if query := self.options.get("query"):
            document, table = _searched(query, document), of_anything
        if form == "table":
            self.out.print(table(document))
        else:
            typer.echo(_WRITTEN[form](document).rstrip("\n"))

    def say(self, text: str, style: str = "") -> None:
        """Say something beside the answer."""
        self.notes.print(Text(text, style))

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something is changed.

        Raises:
            Failure: the answer is no, or there is no terminal to ask on.
        """
        if yes:
            return
        if not sys.stdin.isatty():
            raise Failure(f"{question} There is no terminal to ask on.", "Give --yes.", ExitCode.USAGE)
        if not typer.confirm(question, err=True):
            raise Failure("Nothing was changed.")


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)


_WRITTEN: Final[Mapping[str, Callable[[object], str]]] = {
    "json": lambda document: json.dumps(document, indent=2, ensure_ascii=False),
    "yaml": _yaml,
}


def _searched(query: str, document: object) -> object:
    try:
        return jmespath.search(query, document)
    except JMESPathError as error:
        what = f"--query: {str(error).splitlines()[0]}"
        raise Failure(what, "See https://jmespath.org for the language.", ExitCode.USAGE) from None


def session(context: typer.Context) -> Session:
    """The session of a command's context."""
    found: Session = context.find_root().ensure_object(Session)
    return found


def _shared_parameters() -> list[Parameter]:
    return [
        Parameter(
            names[0].removeprefix("--"),
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None, typer.Option(*names, metavar=metavar, help=text, rich_help_panel=_PANEL, show_default=False)
            ],
        )
        for names, metavar, text in _SHARED
    ]


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A command's function with the options that every command has: they go into its session."""
    own, shared = signature(function), _shared_parameters()

    def called(**given: Any) -> None:  # noqa: ANN401 - what the shell gives
        options = {one.name: given.pop(one.name) for one in shared}
        if options["output"] not in (None, *FORMATS):
            raise Failure(f"--output: must be one of {', '.join(FORMATS)}.", "Correct it.", ExitCode.USAGE)
        session(given["context"]).options |= {name: value for name, value in options.items() if value is not None}
        function(**given)

    parameters = [*own.parameters.values(), *shared]
    called.__doc__ = function.__doc__
    # Typer reads the options from it; the type of a function does not know the attribute.
    called.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called
