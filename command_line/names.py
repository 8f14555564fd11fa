"""Short forms of ids: the beginning of one, or the VNet's name."""

from collections.abc import Sequence
from uuid import UUID

from command_line.api import Api
from command_line.failures import ExitCode, Failure
from command_line.tables import last_name


def resolve(api: Api, given: Sequence[str]) -> list[str]:
    """The ids that are meant.

    Raises:
        Failure: one of them means no peering, or several.
    """
    if all(_is_whole(one) for one in given):
        return list(dict.fromkeys(given))
    known = {row["id"]: last_name(row["vnet_id"]) for row in api.peerings()}
    return list(dict.fromkeys(one if _is_whole(one) else _meant(one, known) for one in given))


def _is_whole(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _meant(text: str, known: dict[str, str]) -> str:
    wanted = text.casefold()
    # A full VNet name takes precedence, even if an id begins with it.
    found = [one for one, vnet in known.items() if vnet.casefold() == wanted]
    found = found or [one for one in known if one.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not found:
        remedy = "peering list shows them all; one that was removed has to be given with its whole id."
        raise Failure(f"{text} is no peering's VNet, and no id begins with it.", remedy, ExitCode.NOT_FOUND)
    named = ", ".join(f"{one} ({known[one]})" for one in found)
    raise Failure(f"{text} means several peerings: {named}.", "Give more of the id.", ExitCode.NOT_FOUND)


def completions(api: Api, incomplete: str) -> list[tuple[str, str]]:
    """What a shell offers for the beginning of an id or of a VNet's name, each with what it is."""
    found = []
    for row in api.peerings():
        vnet = last_name(row["vnet_id"])
        if row["id"].startswith(incomplete):
            found.append((row["id"], vnet))
        if vnet.casefold().startswith(incomplete.casefold()):
            found.append((vnet, row["state"]))
    return found
