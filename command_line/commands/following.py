"""Commands that poll: watch, wait."""

import re
import time
from typing import Annotated, Final

import typer

from command_line.api import Api
from command_line.commands.arguments import Ids, OptionalIds
from command_line.failures import Document, ExitCode, Failure
from command_line.follow import AT_WORK, Silence, ended, follow, interrupted, is_at_rest, name_of
from command_line.names import resolve
from command_line.session import session
from command_line.tables import of_outcomes

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}
_DURATION: Final = re.compile(r"(\d+)([smh]?)")
_REST: Final = "rest"
_PAUSE: Final = 1.0
#: The messages for ends without a problem.
_STOPPED: Final[Document] = {
    "title": "No run is in progress.",
    "remedy": "peering runs shows who stopped it.",
}


def watch(context: typer.Context, ids: OptionalIds = None) -> None:
    """Follow the current runs, of these peerings or of all, until they have ended."""
    found = session(context)
    wanted = resolve(found.api, ids) if ids else [one["id"] for one in found.api.peerings() if one["state"] in AT_WORK]
    if not wanted:
        found.say("There is no current run.")
        return
    ended(found, follow(found, wanted), of_outcomes)


def wait(
    context: typer.Context,
    ids: Ids,
    wanted: Annotated[
        str, typer.Option("--for", metavar="WORD", help="A state or a verdict, or rest: nothing is under way.")
    ] = "connected",
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="Such as 90s, 30m, 2h.")] = "1h",
) -> None:
    """Wait for a state or a verdict, without output; for scripts."""
    found, until, silence = session(context), time.monotonic() + _seconds(timeout), Silence()
    _check_word(found.api, wanted)
    for identity in resolve(found.api, ids):
        try:
            while (status := _polled(found.api, identity, silence)) is None or not _is_there(status, wanted):
                if time.monotonic() > until:
                    what = f"{identity} is not {wanted} after {timeout}."
                    raise Failure(what, f"See its status: peering show {identity}", ExitCode.TIME_OVER)
                time.sleep(_PAUSE)
        except KeyboardInterrupt:
            raise interrupted([identity]) from None


def _check_word(api: Api, wanted: str) -> None:
    """Refuse an unknown state or verdict, by the app's own list: the wait would never end."""
    parameters = api.get("/openapi.json")["paths"]["/api/peerings"]["get"]["parameters"]
    filters = [one["schema"]["enum"] for one in parameters if one["name"] in ("state", "verdict")]
    words = [_REST, *(word for some in filters for word in some)]
    if wanted not in words:
        raise Failure(f"--for {wanted}: must be one of {', '.join(words)}.", "Correct it.", ExitCode.USAGE)


def _polled(api: Api, identity: str, silence: Silence) -> Document | None:
    """The status of a peering, None during a short outage of the app."""
    try:
        status = api.get(f"/peerings/{identity}")
    except Failure as failure:
        silence.bear(failure)
        return None
    silence.end()
    return status


def _is_there(status: Document, wanted: str) -> bool:
    """Whether a peering has reached the wanted state or verdict.

    Raises:
        Failure: it has ended elsewhere, and does not go on by itself.
    """
    words = {status["state"], status.get("health", {}).get("verdict")}
    at_rest = is_at_rest(status)
    if wanted in words or (wanted == _REST and at_rest):
        return True
    if at_rest and ("problem" in status or status["state"] != "connected"):
        problem = status.get("problem", _STOPPED)
        what = f"{name_of(status)} is {status['state']}, and stays so: {problem['title']}"
        raise Failure(what, problem.get("remedy", ""))
    return False


def _seconds(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise Failure(f"--timeout {text}: must be like 90s, 30m or 2h.", "Correct it.", ExitCode.USAGE)
    return int(found[1]) * _UNITS[found[2]]
