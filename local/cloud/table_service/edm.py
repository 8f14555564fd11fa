"""Properties with the types of the Entity Data Model: as they are read from JSON, compared, measured and written."""

import base64
import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

Value = str | int | float | bool | bytes

_DATETIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?")
_FIRST_YEAR: Final = 1601
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class Edm(StrEnum):
    """The types that a property can have."""

    STRING = "Edm.String"
    INT32 = "Edm.Int32"
    INT64 = "Edm.Int64"
    DOUBLE = "Edm.Double"
    BOOLEAN = "Edm.Boolean"
    DATETIME = "Edm.DateTime"
    GUID = "Edm.Guid"
    BINARY = "Edm.Binary"


_NUMBERS: Final = (Edm.INT32, Edm.INT64, Edm.DOUBLE)
_FIXED_SIZES: Final = {Edm.INT32: 4, Edm.INT64: 8, Edm.DOUBLE: 8, Edm.BOOLEAN: 1, Edm.DATETIME: 8, Edm.GUID: 16}


@dataclass(frozen=True, slots=True)
class Property:
    """A value and its type. A DateTime is text in UTC without trailing zeros, so that texts sort like times."""

    edm: Edm
    value: Value

    @property
    def kind(self) -> Edm:
        """The type that it compares as: numbers of different types compare with one another."""
        return Edm.DOUBLE if self.edm in _NUMBERS else self.edm

    @property
    def size(self) -> int:
        """The bytes of the value; text is UTF-16."""
        if isinstance(self.value, bytes):
            return len(self.value)
        if isinstance(self.value, str) and self.edm is Edm.STRING:
            return utf16_size(self.value)
        return _FIXED_SIZES[self.edm]

    @property
    def json(self) -> str | int | float | bool:
        """The value in JSON."""
        if isinstance(self.value, bytes):
            return base64.b64encode(self.value).decode()
        if isinstance(self.value, float) and not math.isfinite(self.value):
            return _NOT_FINITE[str(self.value)]
        if self.edm is Edm.INT64:
            return str(self.value)
        return f"{self.value}Z" if self.edm is Edm.DATETIME else self.value

    @property
    def is_annotated(self) -> bool:
        """Whether its type cannot be seen from its JSON, so that it is written next to it."""
        return self.edm in (Edm.INT64, Edm.DATETIME, Edm.GUID, Edm.BINARY) or (
            self.edm is Edm.DOUBLE and isinstance(self.json, str)
        )


def utf16_size(text: str) -> int:
    """The bytes of a text in UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass"))


def property_of(value: object, annotation: object = None) -> Property:
    """A property from its JSON value and the type next to it.

    Raises:
        ValueError: there is no such type, or no such value of that type.
        TypeError: the value is of another type.
    """
    edm = _seen(value) if annotation is None else Edm(str(annotation))
    return Property(edm, _READERS[edm](value))


def date_text(text: str) -> str:
    """A DateTime's text in UTC, without its `Z`.

    Raises:
        ValueError: it is none.
    """
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a DateTime")
    base, fraction, offset = match.groups()
    moment = datetime.fromisoformat(base + (offset or "Z")).astimezone(UTC)
    if moment.year < _FIRST_YEAR:
        raise ValueError(f"{text} is before {_FIRST_YEAR}")
    digits = (fraction or "").rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{digits}" if digits else "")


def moment_text(moment: datetime) -> str:
    """The text of a moment of the cloud's clock."""
    return date_text(f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}")


def _seen(value: object) -> Edm:
    """The type that JSON shows by itself."""
    kinds = {bool: Edm.BOOLEAN, int: Edm.INT32, float: Edm.DOUBLE, str: Edm.STRING}
    if type(value) not in kinds:
        raise TypeError("a property is neither text, number nor boolean")
    return kinds[type(value)]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("the value is not text")
    return value


def _integer(bits: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TypeError("the value is not an integer")
        number = int(value)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(f"{number} does not fit into {bits} bits")
        return number

    return read


def _double(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("the value is not a number")
    return float(value)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = _text(value).lower()
    if text not in ("true", "false"):
        raise ValueError(f"{text} is not a boolean")
    return text == "true"


_READERS: Final[dict[Edm, Callable[[object], Value]]] = {
    Edm.STRING: _text,
    Edm.INT32: _integer(32),
    Edm.INT64: _integer(64),
    Edm.DOUBLE: _double,
    Edm.BOOLEAN: _boolean,
    Edm.DATETIME: lambda value: date_text(_text(value)),
    Edm.GUID: lambda value: str(uuid.UUID(_text(value))),
    Edm.BINARY: lambda value: base64.b64decode(_text(value), validate=True),
}
