"""`Idempotency-Key`: a change that is requested twice with one key is made once, with the same response twice."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import azure.functions as func

from peering.outcome import ProblemError
from peering.runs import deterministic_id
from triggers.documents.problem_documents import FieldError, InvalidRequestError
from triggers.requests.callers import caller

if TYPE_CHECKING:
    from clients import repeats

_HEADER: Final = "idempotency-key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_DONE: Final = range(200, 300)
#: The headers of a response that are repeated.
_KEPT: Final = ("Location", "Retry-After", "ETag")


async def once(req: func.HttpRequest, carry_out: Callable[[], Awaitable[func.HttpResponse]]) -> func.HttpResponse:
    """Carry out a request, or return the response of the same request with the same key.

    A refused request does not use up its key, so that it can be sent again once the cause is fixed.

    Raises:
        InvalidRequestError: the key breaks its rule.
        ProblemError: `idempotency-key-reused`, `idempotency-key-in-use`.
    """
    key = _key(req)
    if key is None:
        return await carry_out()
    from clients import repeats

    fingerprint = _digest(req.method, req.url, req.get_body())
    held = await repeats.claim(key, fingerprint)
    if held is not None:
        return _again(held, fingerprint)
    try:
        answer = await carry_out()
    except BaseException:
        await repeats.release(key)
        raise
    if answer.status_code not in _DONE:
        await repeats.release(key)
        return answer
    headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    body = answer.get_body().decode()
    await repeats.answer(key, repeats.Repeat(fingerprint, answer.status_code, headers, body))
    return answer


def run_of(req: func.HttpRequest, peering_id: str) -> str:
    """The name of the requested run: with one key it is always the same, whatever happened to the first request."""
    key = _key(req)
    return uuid4().hex[:8] if key is None else deterministic_id("run", peering_id, key).replace("-", "")[:8]


def _again(held: "repeats.Repeat", fingerprint: str) -> func.HttpResponse:
    if held.fingerprint != fingerprint:
        raise ProblemError("idempotency-key-reused", "The key was used before with another method, address or body.")
    if held.status is None:
        raise ProblemError("idempotency-key-in-use", "The first request with the key is in progress.", retry_after=2)
    headers = {**(held.headers or {}), "Idempotent-Replayed": "true"}
    return func.HttpResponse(held.body, status_code=held.status, headers=headers, mimetype="application/json")


def _key(req: func.HttpRequest) -> str | None:
    """The key as it is stored: each caller has keys of their own.

    Raises:
        InvalidRequestError: it breaks its rule.
    """
    given = req.headers.get(_HEADER)
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        rule = "must be 1 to 128 visible ASCII characters"
        raise InvalidRequestError([FieldError(field="Idempotency-Key", rule=rule)])
    who = caller(req)
    return _digest(str(who["id"]), who["name"], given.encode())


def _digest(*parts: str | bytes) -> str:
    encoded = (part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.sha256(b"\0".join(hashlib.sha256(one).digest() for one in encoded)).hexdigest()
