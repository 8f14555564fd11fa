"""The registry of peerings: one Durable entity for each project VPC, and one that lists them. Pure state changes."""

from typing import Final, NotRequired, TypedDict

from peering.outcome import Facts
from peering.spec import Peering

#: The entity that holds the peerings of one project VPC.
ENTITY: Final = "registry"
#: The entity that holds the keys of all of those.
INDEX: Final = "registry_index"
INDEX_KEY: Final = "all"


class Record(TypedDict):
    """One peering as the registry keeps it."""

    peering: Peering
    state: NotRequired[str]
    facts: Facts


def entity_key(project: str, project_vpc_id: str) -> str:
    """The key of a project VPC's entity."""
    return f"{project}|{project_vpc_id}".casefold()


class Ending(TypedDict):
    """What a run leaves behind."""

    id: str
    state: str
    facts: Facts


def begin(records: dict[str, Record], peering: Peering) -> Facts:
    """Note that a run of `peering` begins; returns the facts that its last run gathered."""
    record = records.setdefault(peering["id"], Record(peering=peering, facts={}))
    record["peering"] = peering
    return record["facts"]


def forget(records: dict[str, Record], identity: str) -> None:
    """Drop a peering that was removed."""
    records.pop(identity, None)


def end(records: dict[str, Record], ending: Ending) -> None:
    """Note how a run ended; facts that it did not get to stay as they were."""
    record = records[ending["id"]]
    record["state"] = ending["state"]
    record["facts"] |= ending["facts"]
