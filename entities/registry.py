"""The registry as Durable entities: see `peering.registry` for what they hold."""

from typing import Protocol, TypeAlias, cast

from azure.durable_functions import EntityId

from peering.registry import INDEX, INDEX_KEY, Ending, Record, begin, end, forget
from peering.spec import Peering

Records: TypeAlias = dict[str, Record]


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

    Operations: `begin` with a `Peering`, answers the facts known of it; `end` with an `Ending`; `forget` with an id;
    `count`, answers how many there are.
    """
    records = cast("Records", context.get_state(dict))
    if context.operation_name == "begin":
        context.set_result(begin(records, cast("Peering", context.get_input())))
    elif context.operation_name == "end":
        end(records, cast("Ending", context.get_input()))
        context.set_result(None)
    elif context.operation_name == "forget":
        forget(records, cast("str", context.get_input()))
        context.set_result(None)
    elif context.operation_name == "count":
        context.set_result(len(records))
    else:
        raise ValueError(f"the entity registry has no operation {context.operation_name}")
    context.set_state(records)


def registry_index(context: EntityContext) -> None:
    """The keys of all project VPCs that have peerings. Operation: `add` with a key."""
    keys = cast("list[str]", context.get_state(list))
    if context.operation_name != "add":
        raise ValueError(f"the entity registry_index has no operation {context.operation_name}")
    key = cast("str", context.get_input())
    if key not in keys:
        context.set_state(sorted([*keys, key]))


def index() -> EntityId:
    """The id of the one index entity."""
    return EntityId(INDEX, INDEX_KEY)
