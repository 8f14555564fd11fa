"""`If-Match`: a change of a peering that applies only to the revision of its record that the caller has read."""

import re
from typing import Final

import azure.functions as func

from peering.outcome import ProblemError
from peering.record import Record
from triggers.documents.problem_documents import FieldError, InvalidRequestError

#: An ETag of this API: a revision, and what distinguishes two responses of the same revision.
_TAG: Final = re.compile(r'"([0-9]{1,9})(?:-[0-9a-f]+)?"', re.ASCII)


def expected_revisions(req: func.HttpRequest) -> frozenset[int] | None:
    """The revisions that `If-Match` names; None without it, or if any is accepted.

    Raises:
        InvalidRequestError: it is no list of ETags of a peering.
    """
    given = req.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = [_TAG.fullmatch(one.strip()) for one in given.split(",")]
    if None in found:
        rule = "must be the ETag that GET /api/peerings/{id} answered, in quotes"
        raise InvalidRequestError([FieldError(field="If-Match", rule=rule)])
    return frozenset(int(one[1]) for one in found if one is not None)


def check_revision(record: Record | None, expected: frozenset[int] | None) -> None:
    """Check that a record is the revision that the caller has read.

    Raises:
        ProblemError: `changed-meanwhile`.
    """
    revision = record["revision"] if record is not None else None
    if expected is not None and revision not in expected:
        raise ProblemError("changed-meanwhile", f"The peering's current revision is {revision or 'none'}.")
