"""Conditions of role assignments: attribute-based access control, as far as a condition on access management needs it.

The language is that of Azure's reference "Azure role assignment condition format and syntax": `ActionMatches`,
attributes, comparisons of GUIDs and texts with a quantifier, and NOT, AND and OR. What cannot be read denies.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from local.cloud.arm.holds import matches

#: The values of attributes by their names, such as `@Request[Microsoft.Authorization/roleAssignments:PrincipalType]`.
Attributes = Mapping[str, str]
_Test = Callable[[str, Attributes], bool]

_TOKEN: Final = re.compile(
    r"\s*(?P<token>@\w+\[[^\]]+\]|'[^']*'|\|\||&&|[!(){},]|[A-Za-z]+:[A-Za-z]+|[\w-]+)", re.ASCII
)
_CONNECTIVES: Final = (({"OR", "||"}, any), ({"AND", "&&"}, all))


def _same_text(one: str, other: str) -> bool:
    return one == other


def _same_folded(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


#: Each comparison by its name, with what it would be without `Not`.
_COMPARISONS: Final[Mapping[str, tuple[Callable[[str, str], bool], bool]]] = {
    "GuidEquals": (_same_folded, True),
    "GuidNotEquals": (_same_folded, False),
    "StringEquals": (_same_text, True),
    "StringNotEquals": (_same_text, False),
    "StringEqualsIgnoreCase": (_same_folded, True),
    "StringNotEqualsIgnoreCase": (_same_folded, False),
}
#: How many of the values on the right have to fit; an attribute has one value here, so the left does not matter.
_QUANTIFIERS: Final = {
    "ForAnyOfAnyValues": any,
    "ForAllOfAnyValues": any,
    "ForAnyOfAllValues": all,
    "ForAllOfAllValues": all,
}


class _UnreadableError(Exception):
    """The condition is none of this language."""


def holds(condition: str, action: str, attributes: Attributes) -> bool:
    """Whether a condition lets an action through.

    Args:
        condition: as it is written in the role assignment.
        action: what is to be done.
        attributes: what is known of the request and the resource; a comparison with what is not known fails.

    Returns:
        False also for a condition that cannot be read.
    """
    known = {name.casefold(): value for name, value in attributes.items()}
    try:
        return _read(condition)(action, known)
    except _UnreadableError:
        return False


@lru_cache(maxsize=256)
def _read(condition: str) -> _Test:
    tokens, position = [], 0
    text = condition.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _UnreadableError
        tokens.append(found["token"])
        position = found.end()
    reader = _Reader(tokens)
    test = reader.connected()
    if reader.tokens:
        raise _UnreadableError
    return test


@dataclass
class _Reader:
    """The tokens that are left to be read; each method takes off those that belong to it."""

    tokens: list[str]

    def _next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def _take(self, *wanted: str) -> str:
        if not self.tokens or (wanted and self.tokens[0] not in wanted):
            raise _UnreadableError
        return self.tokens.pop(0)

    def connected(self, level: int = 0) -> _Test:
        """Tests with OR between them; of each, tests with AND between them."""
        if level == len(_CONNECTIVES):
            return self._single()
        words, together = _CONNECTIVES[level]
        tests = [self.connected(level + 1)]
        while self._next().upper() in words:
            self._take()
            tests.append(self.connected(level + 1))
        return lambda action, known: together(test(action, known) for test in tests)

    def _single(self) -> _Test:
        if self._next() == "!" or self._next().upper() == "NOT":
            self._take()
            negated = self._single()
            return lambda action, known: not negated(action, known)
        if self._next() == "(":
            self._take()
            inner = self.connected()
            self._take(")")
            return inner
        return self._action() if self._next() == "ActionMatches" else self._comparison()

    def _action(self) -> _Test:
        self._take("ActionMatches")
        (wanted,) = self._values()
        return lambda action, _: matches(action, wanted)

    def _comparison(self) -> _Test:
        attribute = self._take().casefold()
        quantifier, _, operator = self._take().rpartition(":")
        if not attribute.startswith("@") or operator not in _COMPARISONS:
            raise _UnreadableError
        if quantifier and quantifier not in _QUANTIFIERS:
            raise _UnreadableError
        enough = _QUANTIFIERS.get(quantifier, any)
        same, equal = _COMPARISONS[operator]
        values = self._values() if self._next() == "{" else [self._value()]
        return lambda _, known: attribute in known and enough(same(known[attribute], one) is equal for one in values)

    def _values(self) -> list[str]:
        self._take("{")
        values = [self._value()]
        while self._take(",", "}") == ",":
            values.append(self._value())
        return values

    def _value(self) -> str:
        token = self._take()
        if not re.fullmatch(r"'[^']*'|[\w-]+", token, re.ASCII):
            raise _UnreadableError
        return token.strip("'")
