"""Changes of all peerings that match a filter, at once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from typing_extensions import TypedDict

from clients.side_by_side import side_by_side
from peering.outcome import ProblemError
from triggers.documents.problem_documents import ProblemDocument, occurrence_document
from triggers.documents.remote_failures import problem_of
from triggers.lists import forget_columns, matches
from triggers.requests.queries import Filters

Result = TypeVar("Result")
#: How many peerings one request changes at most, and how many in parallel.
MOST_AT_ONCE: Final = 500
_SIDE_BY_SIDE: Final = 8


class Failed(TypedDict):
    """A peering for which a change failed, and why."""

    id: str
    problem: ProblemDocument


async def matching(filters: Filters) -> list[str]:
    """The ids of the peerings that match a filter now: the cached columns of lists may be outdated.

    Raises:
        ProblemError: `too-many-match`.
    """
    forget_columns()
    ids = sorted(str(row["RowKey"]) for row in await matches(filters))
    if len(ids) > MOST_AT_ONCE:
        raise ProblemError(
            "too-many-match", f"{len(ids)} peerings match; at most {MOST_AT_ONCE} can be changed by one request."
        )
    return ids


async def of_each(ids: Sequence[str], change: Callable[[str], Awaitable[Result]]) -> tuple[list[Result], list[Failed]]:
    """The results of a change of each, and the peerings for which it failed."""
    done = await side_by_side(change, ids, at_once=_SIDE_BY_SIDE)
    failed = [Failed(id=one, problem=occurrence_document(problem_of(error))) for one, error in done.failures]
    return done.results, failed
