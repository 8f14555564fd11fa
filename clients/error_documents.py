"""The error documents of Azure and Microsoft Graph: the codes and texts of an error and of its nested errors.

The published form is `{"error": {"code", "message", "details": [...], "innererror": {...}}}`; each of those may have
further ones. Some services leave out the outermost object, or write a text in its place, as OAuth does.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

#: The fields for nested errors, the most specific first.
_HELD: Final = ("innererror", "innerError", "details")
#: The maximum depth and number of errors that are read: a body may contain any number.
_DEEPEST: Final = 8
_MOST: Final = 40
_NOT_FOUND: Final = 404

Error = Mapping[str, object]


@dataclass(frozen=True)
class ErrorDocument:
    """The content of an error.

    Attributes:
        codes: its codes, the most specific first.
        message: its text, and those of its nested errors.
        policies: the policy assignments that it names, with the ids or names that their owners know them by.
        is_wrapped: whether it is an object under `error`, as the services themselves publish it.
        is_text: whether it is a text in the place of that object.
    """

    codes: tuple[str, ...]
    message: str
    policies: tuple[str, ...] = ()
    is_wrapped: bool = True
    is_text: bool = False

    def proves(self, status: int | None) -> bool:
        """Whether a response with this document is the service's own.

        A 404 without a code is no proof of absence: a gateway in front of the service may have sent it.
        """
        if status == _NOT_FOUND:
            return bool(self.codes) and not self.is_text
        return bool(self.codes or self.message)


def error_document(content: bytes) -> ErrorDocument | None:
    """The error in a body; None if there is none.

    Args:
        content: the body.
    """
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    error = body.get("error", body.get("odata.error"))
    if isinstance(error, str):
        return _of_text(error, body.get("error_description"))
    is_wrapped = isinstance(error, dict)
    errors = _all_of(error if isinstance(error, dict) else body)
    codes = _codes(errors)
    texts = dict.fromkeys(text for _, one in errors if (text := _text(one.get("message"))))
    if not codes and not texts:
        return None
    policies = tuple(policy for _, one in errors for policy in _policies(one))
    return ErrorDocument(codes, " ".join(texts), policies, is_wrapped=is_wrapped)


def codes_of(error: Error) -> tuple[str, ...]:
    """The codes of an error and of those that it holds, the most specific first.

    Args:
        error: the error, as JSON.
    """
    return _codes(_all_of(error))


def _all_of(error: Error) -> list[tuple[int, Error]]:
    return list(islice(_with_held(error, 0), _MOST))


def _codes(errors: list[tuple[int, Error]]) -> tuple[str, ...]:
    by_depth = sorted(errors, key=lambda found: found[0], reverse=True)
    return tuple(code for _, one in by_depth if (code := _text(one.get("code"))))


def _of_text(error: str, described: object) -> ErrorDocument:
    """A text with a description is a code, as in OAuth."""
    codes, message = ((error,), described) if isinstance(described, str) else ((), error)
    return ErrorDocument(codes, message, is_wrapped=False, is_text=True)


def _with_held(error: Error, depth: int) -> Iterator[tuple[int, Error]]:
    """An error and those that it holds, each with its depth."""
    yield depth, error
    for name in _HELD if depth < _DEEPEST else ():
        held = error.get(name)
        for one in held if isinstance(held, list) else (held,):
            if isinstance(one, dict):
                yield from _with_held(one, depth + 1)


def _text(given: object) -> str:
    """A text, or that of an object with a language, as Table Storage writes it."""
    value = given.get("value") if isinstance(given, dict) else given
    return value if isinstance(value, str) else ""


def _policies(error: Error) -> Iterator[str]:
    infos = error.get("additionalInfo")
    for one in infos if isinstance(infos, list) else ():
        info = one.get("info") if isinstance(one, dict) else None
        if not isinstance(info, dict):
            continue
        assignment = info.get("policyAssignmentId") or info.get("policyAssignmentName")
        if assignment:
            yield f"{info.get('policyAssignmentDisplayName') or 'policy'} ({assignment})"
