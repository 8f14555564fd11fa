"""The meaning of an exception for a step or a look: its problem of the catalogue."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from azure.core.exceptions import AzureError

from clients.credentials import automation_credential
from clients.known_secrets import without_secrets
from clients.remote_errors import RemoteError, answer_to
from peering.outcome import Occurrence, ProblemError
from peering.problems import PROBLEMS
from peering.problems.codes import ProblemCode
from peering.remote_answers import Answer, read

log: Final = logging.getLogger("aiven_azure_peering.remotes")

Result = TypeVar("Result")

#: Problems that may only mean that the token is older than a granted right.
_STALE_TOKEN: Final[frozenset[ProblemCode]] = frozenset(
    {
        "automation-not-authorized",
        "automation-graph-permission-missing",
        "automation-token-refused",
        "role-assignment-condition",
        "vault-access-denied",
        "registry-access-denied",
    }
)
_UNAUTHORIZED: Final = 401


def occurrence_of(error: Exception, step: str = "") -> Occurrence | None:
    """The problem of an exception, or None if it comes neither from a remote service nor from a step.

    Args:
        error: what a client raised, or the registry.
        step: the step that met it.
    """
    if isinstance(error, ProblemError):
        # A step's own words may quote a remote, such as the reason of a connection's state.
        return without_secrets(error.occurrence)
    answer = _answer(error)
    if answer is None:
        return None
    occurrence = without_secrets(read(answer, step))
    if occurrence["code"] in _STALE_TOKEN:
        automation_credential().forget()
    return occurrence


def _answer(error: Exception) -> Answer | None:
    if isinstance(error, RemoteError):
        return error.answer
    # The registry tells conflicts apart by the SDK's own exceptions; what it cannot settle comes here as it is.
    return answer_to(error, "Azure Table Storage", "") if isinstance(error, AzureError) else None


async def with_fresh_token(call: Callable[[], Awaitable[Result]]) -> Result:
    """The result of a call; if a remote service rejects its token, a new token is used for a second call."""
    try:
        return await call()
    except Exception as error:
        answer = _answer(error)
        if answer is None or answer.status != _UNAUTHORIZED or answer.sign_in is not None:
            raise
        log.info("event=token-refused service=%s", answer.service)
    automation_credential().forget()
    return await call()


def problem_of(error: Exception, where: str) -> Occurrence:
    """The problem of an exception; an internal error is logged with its trace."""
    occurrence = occurrence_of(error, where)
    if occurrence is None:
        log.error("event=unexpected-error in=%s", where, exc_info=error)
        occurrence = Occurrence(code="unexpected-error", detail=type(error).__name__)
    return occurrence


def refused_for_good(error: RemoteError) -> str:
    """Why a remote refuses a deletion, such as for a lock.

    Raises:
        RemoteError: it may be tried again.
    """
    refused = without_secrets(read(error.answer))
    if error.answer.status == _UNAUTHORIZED or PROBLEMS[refused["code"]].deadline is not None:
        raise error
    return refused["detail"]
