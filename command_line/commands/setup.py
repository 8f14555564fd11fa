"""Commands about the app and the caller's own set-up: doctor, open."""

import webbrowser
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from command_line.failures import Document, Failure, Lacking
from command_line.session import Session, session
from command_line.tables import of_checks

_PAGE = "/ui"
#: What the self-check calls its results.
_RESULTS = {"ok": "pass", "problem": "fail"}


def doctor(context: typer.Context) -> None:
    """Check the app and the caller's own settings."""
    found = session(context)
    checks = [*_own_checks(found)]
    if all(check["result"] != "fail" for check in checks):
        checks += _app_checks(found)
    found.show(checks, of_checks)
    failed = sum(check["result"] == "fail" for check in checks)
    if failed:
        raise Failure(f"{failed} of {len(checks)} checks failed.")


def _own_checks(found: Session) -> Iterator[Document]:
    """The endpoint, the sign-in, and whether the app accepts it, up to the first failure."""
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        ("endpoint", lambda: f"{found.settings.endpoint}, from {found.settings.found['endpoint'].source}"),
        ("sign-in", lambda: _sign_in(found)),
        ("the app answers", lambda: f"{len(found.api.get('/problems')['problems'])} problems in its catalogue"),
    )
    for name, look in steps:
        try:
            yield {"name": name, "result": "pass", "detail": look()}
        except Failure as failure:
            yield {"name": name, "result": "fail", "detail": failure.what, "remedy": failure.remedy}
            return


def _sign_in(found: Session) -> str:
    """The caller's credential."""
    given = {name: one.source for name, one in found.settings.found.items() if name != "endpoint"}
    read = [name for name in ("key", "scope") if getattr(found.settings, name)]
    if not read:
        raise Failure("There is neither a key nor a scope.", "Set PEERING_KEY, or key_file or scope in a profile.")
    return ", ".join(f"{name} from {source}" for name, source in given.items())


def _app_checks(found: Session) -> list[Document]:
    """The app's self-check."""
    try:
        told = found.api.get("/self-check")
    except Lacking as lacking:
        return [{"name": "self-check", "result": "unknown", "detail": lacking.what, "remedy": lacking.remedy}]
    wrong = [one for one in told["settings"] if "problem" in one]
    settings = [_checked(f"setting {one['name']}", "problem", one["description"], [one["problem"]]) for one in wrong]
    return [
        *settings,
        *(_checked(f"app: {o['name']}", o["state"], o["detail"], o.get("problems", [])) for o in told["checks"]),
    ]


def _checked(name: str, state: str, detail: str, problems: list[Document]) -> Document:
    """A line of the self-check, with its remedy."""
    found: dict[str, str] = {"name": name, "result": _RESULTS.get(state, "unknown"), "detail": detail}
    if problems:
        found["detail"] = "; ".join(one["detail"] for one in problems)
        found["remedy"] = " ".join(one["remedy"] for one in problems)
    return found


def open_(
    context: typer.Context,
    print_only: Annotated[bool, typer.Option("--print", help="Only print the address.")] = False,
) -> None:
    """Open the app's page in a browser."""
    found = session(context)
    found.api.request("GET", _PAGE)
    address = f"{found.api.endpoint}/api{_PAGE}"
    if print_only or not webbrowser.open(address):
        typer.echo(address)
