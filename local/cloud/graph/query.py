"""Collections as Microsoft Graph lists them: `$filter`, `$select`, `$top`, and pages with a link to the next one."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from local.cloud.graph.errors import graph_error
from local.cloud.server.wire import Request, Response

T = TypeVar("T")
_PAGE: Final = 100
_LARGEST_PAGE: Final = 999
_MOST_VALUES: Final = 15
_OPTIONS: Final = frozenset({"$filter", "$select", "$top", "$skiptoken", "$expand"})
_TEXT: Final = r"'((?:[^']|'')*)'"
_TEXTS: Final = re.compile(_TEXT)


def _starts(held: object, wanted: list[str]) -> bool:
    return str(held).lower().startswith(wanted[0].lower())


def _is_one_of(held: object, wanted: list[str]) -> bool:
    return str(held).lower() in {value.lower() for value in wanted}


def _contains(held: object, wanted: list[str]) -> bool:
    return isinstance(held, list) and wanted[0] in held


#: The forms of a filter, each with whether it looks for whole values.
_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[object, list[str]], bool], bool], ...]] = (
    (re.compile(rf"startswith\((?P<field>\w+), ?(?P<values>{_TEXT})\)"), _starts, False),
    (re.compile(rf"(?P<field>\w+) eq (?P<values>{_TEXT})"), _is_one_of, True),
    (re.compile(rf"(?P<field>\w+) in ?\((?P<values>{_TEXT}(?:, ?{_TEXT})*)\)"), _is_one_of, True),
    (re.compile(rf"(?P<field>\w+)/any\((?P<each>\w+): ?(?P=each) eq (?P<values>{_TEXT})\)"), _contains, False),
)


@dataclass(frozen=True)
class Filter:
    """A `$filter`: one condition on one property. `whole`: the property has to be one of the values."""

    field: str
    values: list[str]
    whole: bool
    _holds: Callable[[object, list[str]], bool]

    def fits(self, held: object) -> bool:
        """Whether a property's value fulfils the condition."""
        return self._holds(held, self.values)


def filter_of(request: Request) -> Filter | None:
    """The request's `$filter`.

    Raises:
        ApiError: 400, it has a form that is not supported, or too many values.
    """
    expression = request.query.get("$filter", "").strip()
    if not expression:
        return None
    for pattern, holds, whole in _FORMS:
        if match := pattern.fullmatch(expression):
            values = [text.replace("''", "'") for text in _TEXTS.findall(match["values"])]
            if len(values) > _MOST_VALUES:
                text = "Too many child clauses specified in search filter expression containing 'OR' operators:"
                raise graph_error(
                    400, "Request_UnsupportedQuery", f"{text} {len(values)}. Max allowed: {_MOST_VALUES}."
                )
            return Filter(match["field"], values, whole, holds)
    raise graph_error(400, "Request_UnsupportedQuery", f"Unsupported filter: {expression}")


def in_context(request: Request, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body with the context that says what in Graph's metadata it is one of."""
    return {"@odata.context": f"https://{request.host}/v1.0/$metadata#{name}", **body}


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of directory object: its body, what can be filtered by, and which relations can be expanded."""

    name: str
    collection: str
    body: Callable[[T], dict[str, Any]]
    filterable: Mapping[str, Callable[[T], object]]
    expandable: Mapping[str, Callable[[T], object]] = field(default_factory=dict)

    def one(self, request: Request, row: T, status: int = 200) -> Response:
        """One object."""
        return Response(status, in_context(request, f"{self._set(request)}/$entity", self._shown(request, row)))

    def _set(self, request: Request) -> str:
        """What an answer's context names: the collection, and the properties where a request selects some."""
        chosen = request.query.get("$select", "")
        return f"{self.collection}({chosen})" if chosen else self.collection

    def page(self, request: Request, rows: Iterable[T]) -> Response:
        """One page of the objects that fit the request's filter.

        Raises:
            ApiError: 400, the request has an option that is not supported, or one with a wrong value.
        """
        found = self._fitting(filter_of(request), rows)
        size, start = _page_size(request), int(request.query.get("$skiptoken", 0))
        shown = [self._shown(request, row) for row in found[start : start + size]]
        body: dict[str, Any] = {"value": shown}
        if start + size < len(found):
            rest = urlencode({**request.query, "$skiptoken": str(start + size)})
            body["@odata.nextLink"] = f"https://{request.host}{request.path}?{rest}"
        return Response(200, in_context(request, self._set(request), body))

    def _shown(self, request: Request, row: T) -> dict[str, Any]:
        expanded = {}
        if name := request.query.get("$expand"):
            if name not in self.expandable:
                raise _no_property(name, self.name)
            expanded[name] = self.expandable[name](row)
        return {**_select(request, self.name, self.body(row)), **expanded}

    def _fitting(self, condition: Filter | None, rows: Iterable[T]) -> list[T]:
        if condition is None:
            return list(rows)
        held = self.filterable.get(condition.field)
        if held is None:
            raise _no_property(condition.field, self.name)
        return [row for row in rows if condition.fits(held(row))]


def _page_size(request: Request) -> int:
    top = request.query.get("$top", str(_PAGE))
    if not top.isdecimal() or not 1 <= int(top) <= _LARGEST_PAGE:
        text = f"Invalid page size specified: '{top}'. Must be between 1 and {_LARGEST_PAGE} inclusive."
        raise graph_error(400, "Request_UnsupportedQuery", text)
    return int(top)


def _select(request: Request, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in request.query if name.startswith("$") and name not in _OPTIONS]
    if unknown:
        raise graph_error(501, "NotServedLocally", f"The local cloud's Microsoft Graph knows no {', '.join(unknown)}.")
    names = request.query.get("$select")
    if not names:
        return body
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in body:
            raise _no_property(name, kind)
    return {name: body[name] for name in wanted}


def _no_property(name: str, kind: str) -> Exception:
    return graph_error(400, "BadRequest", f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'.")
