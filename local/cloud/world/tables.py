"""A list of records that finds them by key, so that a look-up costs the same however many there are."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, MutableSequence, Sequence
from typing import Final, Generic, TypeVar, overload

T = TypeVar("T")


class Table(MutableSequence[T], Generic[T]):
    """A list with an index for each of its keys.

    What a key is made of must not change while a record is in the table.

    Args:
        keys: for each index, what a record is found by.
    """

    def __init__(self, **keys: Callable[[T], Hashable]) -> None:
        self._rows: Final[list[T]] = []
        self._keys: Final = keys
        self._found: Final[dict[str, dict[Hashable, list[T]]]] = {name: {} for name in keys}

    def by(self, key: str, value: Hashable) -> Sequence[T]:
        """The records with a key's value, in the order in which they came."""
        return self._found[key].get(value, ())

    def first(self, key: str, value: Hashable) -> T | None:
        """The first record with a key's value, if there is one."""
        found = self._found[key].get(value)
        return found[0] if found else None

    def index_of(self, key: str) -> Mapping[Hashable, Sequence[T]]:
        """All values of a key with their records."""
        return self._found[key]

    def _enter(self, row: T) -> None:
        for name, key in self._keys.items():
            self._found[name].setdefault(key(row), []).append(row)

    def _leave(self, row: T) -> None:
        for name, key in self._keys.items():
            value = key(row)
            found = self._found[name][value]
            found.remove(row)
            if not found:
                del self._found[name][value]

    # A list's own methods. The derived ones, such as append and clear, come from MutableSequence.

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self._rows[index]

    @overload
    def __setitem__(self, index: int, value: T) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[T]) -> None: ...
    def __setitem__(self, index: int | slice, value: T | Iterable[T]) -> None:
        rows = list(self._rows)
        # The overloads pair an index with one value and a slice with several, which mypy does not carry in here.
        rows[index] = value  # type: ignore[index, assignment]
        self.clear()
        self.extend(rows)

    def __delitem__(self, index: int | slice) -> None:
        for row in self._rows[index] if isinstance(index, slice) else [self._rows[index]]:
            self._leave(row)
        del self._rows[index]

    def insert(self, index: int, value: T) -> None:
        """Put a record before another one."""
        self._enter(value)
        self._rows.insert(index, value)

    def remove(self, value: T) -> None:
        """Take a record out.

        Raises:
            ValueError: it is not in the table.
        """
        self._rows.remove(value)
        self._leave(value)

    def clear(self) -> None:
        """Take all records out."""
        self._rows.clear()
        for found in self._found.values():
            found.clear()
