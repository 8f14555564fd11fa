"""What a storage account holds, by the APIs that anybody would ask it with."""

import gzip
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableEntity, TableServiceClient
from azure.storage.blob import BlobServiceClient

_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True)
class HubSize:
    """Rows of the two tables, and blobs of what was too large for them."""

    instances: int
    history: int
    blobs: int
    #: Each instance with its status and when it was last changed, to be read by people.
    kept: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.instances} instances, {self.history} rows of history, {self.blobs} blobs"


def hub_size(storage: str, hub: str) -> HubSize:
    """The size of a task hub.

    Args:
        storage: the account's connection string.
        hub: the task hub's name.
    """
    with TableServiceClient.from_connection_string(storage) as tables:
        instances = _rows(tables, f"{hub}Instances", ["PartitionKey", "RuntimeStatus", "LastUpdatedTime"])
        history = _rows(tables, f"{hub}History", ["PartitionKey"])
    with BlobServiceClient.from_connection_string(storage) as blobs:
        large = _blob_names(blobs, f"{hub.lower()}-largemessages")
    kept = tuple(f"{one['PartitionKey']} {one['RuntimeStatus']} {one.get('LastUpdatedTime')}" for one in instances)
    return HubSize(len(instances), len(history), len(large), kept)


def are_owned(storage: str, hub: str, now: datetime) -> bool:
    """Whether every partition of a task hub is owned by an engine that renews its lease.

    Args:
        storage: the account's connection string.
        hub: the task hub's name.
        now: the time by the engines' clock.
    """
    with TableServiceClient.from_connection_string(storage) as tables:
        return all(one["ExpiresAt"] > now for one in _rows(tables, f"{hub}Partitions", ["ExpiresAt"]))


def texts(storage: str) -> Iterator[tuple[str, str]]:
    """Every row of every table and every blob, unpacked: where it is, and its text."""
    with TableServiceClient.from_connection_string(storage) as tables:
        for table in tables.list_tables():
            for row in _rows(tables, table.name):
                yield f"{table.name}/{row['PartitionKey']}/{row['RowKey']}", str(dict(row))
    with BlobServiceClient.from_connection_string(storage) as blobs:
        for container in blobs.list_containers():
            for name in _blob_names(blobs, container.name):
                # One that has gone meanwhile held nothing of interest any more.
                with suppress(ResourceNotFoundError):
                    content = blobs.get_blob_client(container.name, name).download_blob().readall()
                    unpacked = gzip.decompress(content) if content.startswith(_GZIP) else content
                    yield f"{container.name}/{name}", unpacked.decode("latin-1")


def _rows(tables: TableServiceClient, table: str, columns: list[str] | None = None) -> list[TableEntity]:
    try:
        return list(tables.get_table_client(table).list_entities(select=columns))
    except ResourceNotFoundError:
        return []


def _blob_names(blobs: BlobServiceClient, container: str) -> list[str]:
    try:
        return list(blobs.get_container_client(container).list_blob_names())
    except ResourceNotFoundError:
        return []
