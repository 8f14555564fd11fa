"""Microsoft Graph's responses without a thousand SDK classes that this app does not use."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiota_abstractions.serialization import ParseNode
    from msgraph.generated.models.entity import Entity


def read_entities_lean() -> None:
    """Let the base class of Graph's objects read its two fields without importing all its subclasses first.

    msgraph-sdk generates 1,261 import statements in front of them, which run for every object that is read: 1.5 s and
    30 MB for the first one, and 7 ms for each (measured with msgraph-sdk 1.x on Python 3.11).
    """
    from msgraph.generated.models.entity import Entity

    # Ours takes the place of a method that returns the same; no type allows to change a class.
    Entity.get_field_deserializers = _field_deserializers  # type: ignore[method-assign, assignment]


def _field_deserializers(entity: "Entity") -> "dict[str, Callable[[ParseNode], None]]":
    """What the generated method returns."""
    return {
        "id": lambda node: setattr(entity, "id", node.get_str_value()),
        "@odata.type": lambda node: setattr(entity, "odata_type", node.get_str_value()),
    }
