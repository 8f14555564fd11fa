"""What every route of the API has in common: strict query parameters, an id that is a UUID, problems as documents."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import azure.functions as func

from clients.durable import DurableClient
from peering.outcome import ProblemError
from triggers.problem_documents import FieldError, InvalidRequestError, occurrence_response, problem_response
from triggers.remote_failures import problem_of

Answer = Callable[[func.HttpRequest, DurableClient], Awaitable[func.HttpResponse]]

LARGEST_BODY: Final = 64 * 1024
#: How a function key may be given, whatever the route.
_ALWAYS: Final = frozenset({"code", "clientId"})


async def answered(
    answer: Answer, req: func.HttpRequest, client: DurableClient, parameters: Collection[str]
) -> func.HttpResponse:
    """Answer a request to a route.

    Args:
        answer: does it; whatever it raises becomes a problem document.
        req: the request.
        client: Durable's client.
        parameters: the query parameters that the route takes.
    """
    try:
        _check(req, parameters)
        return await answer(req, client)
    except InvalidRequestError as error:
        return problem_response("invalid-request", str(error), error.errors)
    except Exception as error:
        return occurrence_response(problem_of(error))


def _check(req: func.HttpRequest, parameters: Collection[str]) -> None:
    """Refuse what no route takes: a misspelt parameter would do something else than was asked for."""
    pairs = parse_qsl(urlsplit(req.url).query, keep_blank_values=True)
    given = [name for name, _ in pairs]
    known = ", ".join(sorted(parameters)) or "none"
    unknown = [name for name in dict.fromkeys(given) if name not in {*parameters, *_ALWAYS}]
    errors = [FieldError(field=name, rule=f"is not a query parameter here; known: {known}") for name in unknown]
    twice = [name for name in dict.fromkeys(given) if given.count(name) > 1 and name not in unknown]
    errors += [FieldError(field=name, rule="may be given once") for name in twice]
    # The Functions host leaves these out, so that a dry run would be none.
    empty = [name for name, value in pairs if not value and name in parameters and name not in twice]
    errors += [FieldError(field=name, rule="must have a value") for name in empty]
    if errors:
        raise InvalidRequestError(errors)
    if (size := len(req.get_body())) > LARGEST_BODY:
        raise ProblemError("body-too-large", f"The body has {size} bytes; at most {LARGEST_BODY} are read.")
    if "id" in req.route_params:
        peering_id(req)


def peering_id(req: func.HttpRequest) -> str:
    """The `{id}` of a route.

    Raises:
        ProblemError: `peering-not-found`, when it is no UUID.
    """
    try:
        return str(UUID(req.route_params["id"]))
    except ValueError:
        raise ProblemError("peering-not-found", "A peering's id is a UUID, and this is none.") from None


def is_dry(req: func.HttpRequest) -> bool:
    """Whether only a plan is asked for, with `dryRun=true`.

    Raises:
        InvalidRequestError: the parameter is neither true nor false.
    """
    dry: str = req.params.get("dryRun", "false").lower()
    if dry not in ("true", "false"):
        raise InvalidRequestError([FieldError(field="dryRun", rule="must be true or false")])
    return dry == "true"
