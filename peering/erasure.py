"""Erasing a caller from what the registry keeps. Pure."""

from typing import Final, TypeVar, cast

from peering.record import Refusal
from peering.spec import Caller

T = TypeVar("T")

#: What replaces an erased caller.
ERASED: Final = Caller(name="erased", id=None)
_PARTS: Final = Caller.__annotations__.keys()
#: Texts that people write about a peering; they change these themselves.
_SAID: Final = "labels"


def erased(found: T, caller: str) -> T:
    """A document of the registry without a caller, whose name and id are replaced by `ERASED`.

    Args:
        found: a record, a run, a pause; it stays as it is.
        caller: the caller's name or id, in any case.
    """
    return cast("T", _erased(found, caller.casefold()))


def erased_refusal(found: Refusal, caller: str) -> Refusal:
    """A refused request without a caller, whose name its text may repeat.

    Args:
        found: the request; it stays as it is.
        caller: the caller's name or id, in any case.
    """
    without = erased(found, caller)
    if without != found:
        without["detail"] = found["detail"].replace(found["by"]["name"], ERASED["name"])
    return without


def _erased(found: object, caller: str) -> object:
    if isinstance(found, list):
        return [_erased(one, caller) for one in found]
    if not isinstance(found, dict):
        return found
    # A caller who is known only by the function key has no id.
    known = [str(part).casefold() for part in found.values() if part is not None]
    if found.keys() == _PARTS and caller in known:
        return dict(ERASED)
    return {name: value if name == _SAID else _erased(value, caller) for name, value in found.items()}
