"""The registry as Durable entities: see `peering.registry` for what they hold."""

from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from peering.registry import Registry, begin, drop, empty, end, examine, is_current

#: What the entity does, by operation; each one takes the operation's input, which only JSON types.
_OPERATIONS: Final[dict[str, Callable[[Registry, Any], object]]] = {
    "begin": begin,
    "is_current": is_current,
    "end": end,
    "examine": examine,
    "drop": drop,
}


class EntityContext(Protocol):
    """The part of `azure.durable_functions.DurableEntityContext` that is used here."""

    @property
    def operation_name(self) -> str:
        """The operation to carry out."""
        ...

    @property
    def entity_key(self) -> str:
        """The key of this entity."""
        ...

    def get_input(self) -> object:
        """The operation's input."""
        ...

    def get_state(self, initializer: object) -> object:
        """The entity's state, or what the initializer makes."""
        ...

    def set_state(self, state: object) -> None:
        """Replace the entity's state."""
        ...

    def set_result(self, result: object) -> None:
        """Answer the caller."""
        ...


def registry(context: EntityContext) -> None:
    """The peerings of one project VPC.

    Operations: `begin` with a `Beginning`, answers the facts known of the peering, or None when the run comes
    too late; `is_current` with a `RunOf`; `end` with an `Ending`; `examine`
    with an `Examination`, answers an `ExaminationResult`; `drop` with an id.

    Raises:
        ValueError: there is no such operation.
    """
    held, given = cast("Registry", context.get_state(empty)), context.get_input()
    if context.operation_name not in _OPERATIONS:
        raise ValueError(f"the entity registry has no operation {context.operation_name}")
    context.set_result(_OPERATIONS[context.operation_name](held, given))
    context.set_state(held)


def registry_index(context: EntityContext) -> None:
    """The keys of all project VPCs that have peerings. Operation: `add` with a key."""
    keys = cast("list[str]", context.get_state(list))
    if context.operation_name != "add":
        raise ValueError(f"the entity registry_index has no operation {context.operation_name}")
    key = cast("str", context.get_input())
    if key not in keys:
        context.set_state(sorted([*keys, key]))
