"""`$filter`: comparisons of a property with a constant, joined with and, or, not and parentheses."""

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from local.cloud.table_service.edm import Edm, Property, Value, property_of
from local.cloud.table_service.errors import TableError, invalid_input, not_implemented

_MOST_COMPARISONS: Final = 15
_OPERATORS: Final[dict[str, Callable[[Value, Value], bool]]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "gt", "ge", "lt", "le")
}
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<typed>(?:datetime|guid|binary|X)'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[Ll]?)|(?P<word>\w+)|(?P<mark>[(),]))"
)
#: Makes of a text the first one that sorts behind it.
_NEXT: Final = "\0"
_TYPED: Final = {"datetime": Edm.DATETIME, "guid": Edm.GUID}


class Row(Protocol):
    """What has properties."""

    def property(self, name: str) -> Property | None:
        """One of them."""


class Filter(ABC):
    """A condition on an entity."""

    @abstractmethod
    def matches(self, row: Row) -> bool:
        """Whether an entity meets it."""

    @property
    def partition(self) -> str | None:
        """The only partition that can meet it, if it says so."""
        return None

    @property
    def rows(self) -> tuple[str, str | None]:
        """The first row key that can meet it, and, if it says so, the first one behind all that can."""
        return "", None


@dataclass(frozen=True)
class _Comparison(Filter):
    name: str
    operator: str
    constant: Property

    def matches(self, row: Row) -> bool:
        held = row.property(self.name)
        same = held is not None and held.kind is self.constant.kind
        return same and held is not None and _OPERATORS[self.operator](held.value, self.constant.value)

    @property
    def partition(self) -> str | None:
        exact = self.name == "PartitionKey" and self.operator == "eq"
        return str(self.constant.value) if exact else None

    @property
    def rows(self) -> tuple[str, str | None]:
        value = self.constant.value
        if self.name != "RowKey" or not isinstance(value, str):
            return "", None
        first = value if self.operator in ("eq", "ge", "gt") else ""
        return first, {"eq": value + _NEXT, "le": value + _NEXT, "lt": value}.get(self.operator)


@dataclass(frozen=True)
class _And(Filter):
    parts: tuple[Filter, ...]

    def matches(self, row: Row) -> bool:
        return all(part.matches(row) for part in self.parts)

    @property
    def partition(self) -> str | None:
        return next((part.partition for part in self.parts if part.partition is not None), None)

    @property
    def rows(self) -> tuple[str, str | None]:
        spans = [part.rows for part in self.parts]
        ends = [end for _, end in spans if end is not None]
        return max((first for first, _ in spans), default=""), min(ends, default=None)


@dataclass(frozen=True)
class _Or(Filter):
    parts: tuple[Filter, ...]

    def matches(self, row: Row) -> bool:
        return any(part.matches(row) for part in self.parts)


@dataclass(frozen=True)
class _Not(Filter):
    inner: Filter

    def matches(self, row: Row) -> bool:
        return not self.inner.matches(row)


def parse_filter(text: str) -> Filter:
    """What a `$filter` says; without text, everything meets it.

    Raises:
        TableError: it is malformed, or more than the service takes.
    """
    return _Parser(text).parse() if text.strip() else _And(())


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._comparisons = 0
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise _malformed(text, position)
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self._text = text
        self._tokens.reverse()

    def parse(self) -> Filter:
        found = self._or()
        if self._tokens:
            raise _malformed(self._text, 0)
        if self._comparisons > _MOST_COMPARISONS:
            raise invalid_input()
        return found

    def _take(self, kind: str, *texts: str) -> str | None:
        """The next token, if it is of a kind, and one of these texts."""
        if self._tokens and self._tokens[-1][0] == kind and (not texts or self._tokens[-1][1] in texts):
            return self._tokens.pop()[1]
        return None

    def _need(self, kind: str, *texts: str) -> str:
        found = self._take(kind, *texts)
        if found is None:
            raise _malformed(self._text, 0)
        return found

    def _or(self) -> Filter:
        parts = [self._and()]
        while self._take("word", "or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else _Or(tuple(parts))

    def _and(self) -> Filter:
        parts = [self._not()]
        while self._take("word", "and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else _And(tuple(parts))

    def _not(self) -> Filter:
        if self._take("word", "not"):
            return _Not(self._not())
        if self._take("mark", "("):
            found = self._or()
            self._need("mark", ")")
            return found
        return self._comparison()

    def _comparison(self) -> Filter:
        name = self._need("word")
        if self._take("mark", "("):
            raise not_implemented()
        self._comparisons += 1
        return _Comparison(name, self._need("word", *_OPERATORS), self._constant())

    def _constant(self) -> Property:
        try:
            if (text := self._take("text")) is not None:
                return property_of(text[1:-1].replace("''", "'"))
            if (number := self._take("number")) is not None:
                return _number(number)
            if (typed := self._take("typed")) is not None:
                kind, _, inner = typed[:-1].partition("'")
                return (
                    property_of(inner, _TYPED[kind]) if kind in _TYPED else Property(Edm.BINARY, bytes.fromhex(inner))
                )
        except ValueError:
            raise _malformed(self._text, 0) from None
        return property_of(self._need("word", "true", "false") == "true")


def _number(text: str) -> Property:
    if text[-1] in "lL":
        return property_of(text[:-1], Edm.INT64)
    return property_of(text, Edm.DOUBLE if re.search(r"[.eE]", text) else Edm.INT64)


def _malformed(text: str, position: int) -> TableError:
    return invalid_input(f"Syntax error at position {position} in '{text}'.")
