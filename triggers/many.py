"""Changes of all peerings that match a filter, at once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from typing_extensions import TypedDict

from clients.side_by_side import side_by_side
from peering.outcome import ProblemError
from triggers.lists import forget_columns, matches
from triggers.problem_documents import ProblemDocument, occurrence_document
from triggers.queries import Filters
from triggers.remote_failures import problem_of

Result = TypeVar("Result")
#: So many peerings one request changes at the most, and so many side by side.
MOST_AT_ONCE: Final = 500
_SIDE_BY_SIDE: Final = 8


class Failed(TypedDict):
    """A peering that a change of many failed for, and why."""

    id: str
    problem: ProblemDocument


async def matching(filters: Filters) -> list[str]:
    """The ids of the peerings that match a filter now: what is remembered for lists may be old.

    Raises:
        ProblemError: `too-many-match`.
    """
    forget_columns()
    ids = sorted(str(row["RowKey"]) for row in await matches(filters))
    if len(ids) > MOST_AT_ONCE:
        raise ProblemError("too-many-match", f"{len(ids)} peerings match; at most {MOST_AT_ONCE} are changed at once.")
    return ids


async def of_each(ids: Sequence[str], change: Callable[[str], Awaitable[Result]]) -> tuple[list[Result], list[Failed]]:
    """What a change of each comes to, and those that it failed for."""
    done = await side_by_side(change, ids, at_once=_SIDE_BY_SIDE)
    failed = [Failed(id=one, problem=occurrence_document(problem_of(error))) for one, error in done.failures]
    return done.results, failed
