"""Maps a remote service's refusal to a problem: the HTTP status says if it is transient, the code selects it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from peering.naming import folded
from peering.outcome import Occurrence, Remote
from peering.problems import PROBLEMS
from peering.problems.codes import ProblemCode
from peering.problems.remote_codes import (
    ALONE,
    AS_APPLICATION,
    NO_ABSENCE,
    OTHERWISE,
    REMOTE_CODES,
    SIGN_IN_AT_HOME,
    SIGN_IN_CODES,
    STATUSES,
    STATUSES_ABOUT,
    STATUSES_AS_APPLICATION,
    STEP_READINGS,
    TEXTS,
    TO_DO,
    Codes,
    Identity,
    Service,
)

_NOT_FOUND: Final = 404
_REQUEST_TIMEOUT: Final = 408
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_REDIRECT: Final = 300
_REFUSAL: Final = 400
_NOTHING: Final[Codes] = {}
_SIGN_IN_FAILED: Final[Mapping[Identity, ProblemCode]] = {
    "automation": "automation-sign-in-failed",
    "application": "application-sign-in-failed",
}


@dataclass(frozen=True)
class SignIn:
    """The identity that tried to sign in, in words, and the tenant. `at_home`: it is the application's home tenant."""

    who: str
    tenant: str | None = None
    at_home: bool = False


@dataclass(frozen=True)
class Answer:
    """An error response of a remote service.

    Attributes:
        service: the remote.
        host: its host name.
        status: the HTTP status; None when there was no answer, a 2xx when it could not be read.
        codes: its error codes, the most specific first.
        message: its own text.
        retry_after: the seconds that it asks to wait.
        request_id: what its support finds the request by.
        identity: who asked.
        sign_in: the rejected sign-in, if it was one.
        is_readable: whether the body was the service's own document; a gateway's page is transient.
        about: what the request was about, where one service has several: the first part of Aiven's path.
    """

    service: Service
    host: str | None = None
    status: int | None = None
    codes: tuple[str, ...] = ()
    message: str = ""
    retry_after: float | None = None
    request_id: str | None = None
    identity: Identity = "automation"
    sign_in: SignIn | None = None
    is_readable: bool = True
    about: str = ""

    @property
    def may_pass(self) -> bool:
        """Whether a retry may succeed: no answer, an overloaded server, a redirect or an unreadable answer."""
        return (
            self.status is None
            or self.status in (_REQUEST_TIMEOUT, _TOO_MANY)
            or self.status >= _SERVER_ERROR
            or self.status < _REFUSAL
            or not self.is_readable
        )

    def refuses(self, *statuses: int) -> bool:
        """Whether the service itself refuses this permanently; a gateway or a failed sign-in does not prove that.

        Args:
            statuses: the HTTP statuses that count.
        """
        return self.status in statuses and not self.may_pass and self.sign_in is None

    @property
    def is_absence(self) -> bool:
        """Whether the service itself says that the object does not exist; a sign-in says nothing about it."""
        is_about_it = NO_ABSENCE.isdisjoint(self.codes)
        return self.status == _NOT_FOUND and self.is_readable and self.sign_in is None and is_about_it


def read(answer: Answer, step: str = "") -> Occurrence:
    """The problem for an answer.

    Args:
        answer: what the remote answered.
        step: the step that met it, which may know better what a code means.
    """
    remote = Remote(
        service=answer.service,
        host=answer.host,
        status=answer.status,
        code=answer.codes[-1] if answer.codes else None,
        request_id=answer.request_id,
    )
    occurrence = Occurrence(code=_problem(answer, step), detail=_detail(answer), remote=remote)
    if answer.retry_after is not None:
        occurrence["retry_after"] = answer.retry_after
    return occurrence


def _problem(answer: Answer, step: str) -> ProblemCode:
    known = next(_known(answer, step), None)
    if answer.may_pass:
        if known is not None and PROBLEMS[known].deadline is not None:
            return known
        return "remote-throttled" if answer.status == _TOO_MANY else "remote-unavailable"
    if known is not None:
        return known
    if answer.sign_in is not None:
        return _SIGN_IN_FAILED[answer.identity]
    of_service = {**STATUSES.get(answer.service, {}), **STATUSES_ABOUT.get(answer.about, {})}
    if answer.identity == "application":
        of_service |= STATUSES_AS_APPLICATION
    return of_service.get(answer.status or 0, OTHERWISE.get(answer.service, "remote-refused"))


def _known(answer: Answer, step: str) -> Iterator[ProblemCode]:
    """The known problems for an answer, the most specific first."""
    for pattern, problem in TEXTS.get(answer.service, ()):
        if pattern.search(answer.message):
            yield problem
    tables = [STEP_READINGS.get(step, _NOTHING), REMOTE_CODES.get(answer.service, _NOTHING)]
    if answer.sign_in is not None:
        tables.insert(0, SIGN_IN_CODES[answer.identity])
        tables.insert(0, SIGN_IN_AT_HOME if answer.sign_in.at_home else _NOTHING)
    elif answer.identity == "application":
        tables.insert(0, AS_APPLICATION)
    alone = ALONE.get(answer.service, frozenset()) if len(answer.codes) > 1 else frozenset()
    for code in (code for code in answer.codes if code not in alone):
        yield from (problem for table in tables for known, problem in table.items() if folded(known) == folded(code))


def _detail(answer: Answer) -> str:
    message = answer.message or _without_text(answer)
    if answer.sign_in is None:
        return message
    to = f" to the tenant {answer.sign_in.tenant}" if answer.sign_in.tenant else ""
    told = f"{answer.sign_in.who} could not sign in{to}: {message}"
    to_do = TO_DO.get(answer.service)
    return f"{told.rstrip('.')}. {to_do}" if to_do else told


def _without_text(answer: Answer) -> str:
    who = f"{answer.service} ({answer.host})" if answer.host else answer.service
    if answer.status is None:
        return f"{who} was not reached."
    if answer.status < _REDIRECT:
        return f"{who} answered {answer.status} with an unreadable response."
    return f"{who} answered {answer.status} without a text."
