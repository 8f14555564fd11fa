"""Entities: their limits, their etags, and how they read and write themselves as JSON."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from local.cloud.table_service.edm import Edm, Property, moment_text, property_of, utf16_size
from local.cloud.table_service.errors import TableError, invalid_input, out_of_range

Key = tuple[str, str]

SYSTEM: Final = ("PartitionKey", "RowKey", "Timestamp")
_LONGEST_NAME: Final = 255
_MOST_PROPERTIES: Final = 252
_LARGEST_KEY: Final = 1024
_LARGEST_VALUE: Final = 64 * 1024
_LARGEST_ENTITY: Final = 1024 * 1024
_FORBIDDEN: Final = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Entity:
    """A row of a table, as it was written at a moment."""

    key: Key
    properties: Mapping[str, Property]
    timestamp: datetime

    @property
    def etag(self) -> str:
        """What changes at every write."""
        return f"W/\"datetime'{quote(moment_text(self.timestamp))}Z'\""

    def property(self, name: str) -> Property | None:
        """One of its properties, also of those that every entity has."""
        if name == "Timestamp":
            return Property(Edm.DATETIME, moment_text(self.timestamp))
        if name in SYSTEM:
            return Property(Edm.STRING, self.key[SYSTEM.index(name)])
        return self.properties.get(name)

    def shown(self, url: str, level: str, select: Collection[str]) -> dict[str, object]:
        """It as JSON: with as much metadata as was asked for, and only the properties that were selected.

        Args:
            url: the table's URL.
            level: `full`, `minimal` or `no` metadata.
            select: names of properties; all, if there is none.
        """
        body: dict[str, object] = {}
        if level == "full":
            link = entity_path("", self.key)
            host, table = url.removeprefix("https://").split("/")
            body["odata.type"] = f"{host.partition('.')[0]}.{table}"
            body |= {"odata.id": url + link, "odata.editLink": table + link}
        if level != "no":
            body["odata.etag"] = self.etag
        for name in select or (*SYSTEM, *self.properties):
            held = self.property(name)
            minimal = level == "minimal" and name != "Timestamp"
            if held is not None and held.is_annotated and (minimal or level == "full"):
                body[f"{name}@odata.type"] = held.edm
            body[name] = None if held is None else held.json
        return body


def entity_path(table: str, key: Key) -> str:
    """The path of an entity."""
    partition, row = (quote(part.replace("'", "''")) for part in key)
    return f"{table}(PartitionKey='{partition}',RowKey='{row}')"


def read_properties(body: bytes) -> dict[str, Property]:
    """What a request's body says, with the keys among it; nulls are left out, as the service does not keep them.

    Raises:
        TableError: it is malformed.
    """
    try:
        given = json.loads(body)
        found = {
            name: property_of(value, given.get(f"{name}@odata.type"))
            for name, value in given.items()
            if value is not None and not name.startswith("odata.") and "@" not in name and name != "Timestamp"
        }
    except (ValueError, TypeError, AttributeError):
        raise invalid_input() from None
    return found


def checked(key: Key, properties: Mapping[str, Property], timestamp: datetime) -> Entity:
    """An entity that keeps to the limits.

    Raises:
        TableError: it does not.
    """
    for name, part in zip(SYSTEM, key, strict=False):
        if _FORBIDDEN.search(part):
            raise out_of_range(name, part)
        if utf16_size(part) > _LARGEST_KEY:
            raise TableError(400, "KeyValueTooLarge", "A key value exceeds the maximum allowed size (1KB).")
    if len(properties) > _MOST_PROPERTIES:
        raise TableError(400, "TooManyProperties", "The entity contains more properties than allowed.")
    size = 4 + sum(map(utf16_size, key))
    for name, held in properties.items():
        if len(name) > _LONGEST_NAME:
            text = f"The property name exceeds the maximum allowed length ({_LONGEST_NAME})."
            raise TableError(400, "PropertyNameTooLong", text)
        if not name.isidentifier():
            raise TableError(400, "PropertyNameInvalid", f"The property name '{name}' is invalid.")
        if held.size > _LARGEST_VALUE:
            text = "The property value exceeds the maximum allowed size (64KB)."
            raise TableError(400, "PropertyValueTooLarge", text)
        variable = held.edm in (Edm.STRING, Edm.BINARY)
        size += 8 + utf16_size(name) + held.size + (4 if variable else 0)
    if size > _LARGEST_ENTITY:
        text = "The entity is larger than the maximum allowed size (1MB)."
        raise TableError(400, "EntityTooLarge", text)
    return Entity(key, properties, timestamp)
