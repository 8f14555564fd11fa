"""The bodies of requests: JSON in which no name is given twice."""

import json

import azure.functions as func

from peering.outcome import ProblemError


def json_body(req: func.HttpRequest) -> object:
    """The body of a request as JSON; an empty one is an empty object.

    Raises:
        ProblemError: `not-json`.
    """
    body = req.get_body()
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_named_once) if body.strip() else {}
    except RecursionError:
        raise ProblemError("not-json", "The body is nested too deeply.") from None
    except ValueError as error:
        raise ProblemError("not-json", str(error)) from None


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice in one object")
    return found
