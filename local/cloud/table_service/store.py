"""Storage accounts, and their tables with rows in the order of their keys."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from local.cloud.table_service.entities import Entity, Key
from local.cloud.table_service.errors import TableError

_LONG_AGO: Final = datetime(1601, 1, 1, tzinfo=UTC)


class EntityTable:
    """A table of a storage account."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._keys: list[Key] = []
        self._rows: dict[Key, Entity] = {}

    def get(self, key: Key) -> Entity | None:
        """The entity with a key."""
        return self._rows.get(key)

    def put(self, entity: Entity) -> None:
        """Write an entity in place of the one with its key."""
        if entity.key not in self._rows:
            insort(self._keys, entity.key)
        self._rows[entity.key] = entity

    def remove(self, key: Key) -> None:
        """Take the entity with a key out, if there is one."""
        if self._rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def restore(self, key: Key, held: Entity | None) -> None:
        """Make a key's entity what it was before, which may be none."""
        if held is None:
            self.remove(key)
        else:
            self.put(held)

    def scan(self, start: Key) -> Iterator[Entity]:
        """The entities from a key on; one that another thread removes meanwhile is not among them."""
        for key in self._keys[bisect_left(self._keys, start) :]:
            if (held := self._rows.get(key)) is not None:
                yield held


@dataclass(eq=False)
class StorageAccount:
    """A storage account; its tables are found without case."""

    name: str
    id: str
    tenant_id: str
    tables: dict[str, EntityTable] = field(default_factory=dict)
    _last_write: datetime = _LONG_AGO

    def table(self, name: str) -> EntityTable:
        """One of its tables.

        Raises:
            TableError: there is no such table.
        """
        found = self.tables.get(name.lower())
        if found is None:
            raise TableError(404, "TableNotFound", "The table specified does not exist.")
        return found

    def stamp(self, now: datetime) -> datetime:
        """The time of a write: later than that of any before, also while the clock stands still."""
        self._last_write = max(now, self._last_write + timedelta(microseconds=1))
        return self._last_write
