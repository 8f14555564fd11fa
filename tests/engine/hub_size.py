"""How much a task hub holds, by the APIs of the storage account that it is in."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final

import httpx
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableEntity, TableServiceClient

_NAME: Final = re.compile(r"<Name>([^<]*)</Name>")
_NEXT: Final = re.compile(r"<NextMarker>([^<]*)</NextMarker>")


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
    kept = tuple(f"{one['PartitionKey']} {one['RuntimeStatus']} {one.get('LastUpdatedTime')}" for one in instances)
    return HubSize(len(instances), len(history), sum(1 for _ in blobs(storage, f"{hub.lower()}-largemessages")), kept)


def _rows(tables: TableServiceClient, table: str, columns: list[str]) -> list[TableEntity]:
    try:
        return list(tables.get_table_client(table).list_entities(select=columns))
    except ResourceNotFoundError:
        return []


def blobs(storage: str, container: str) -> Iterator[str]:
    """The names of a container's blobs, page after page; none when there is no such container."""
    parts = dict(part.split("=", 1) for part in storage.split(";"))
    account, marker = parts["AccountName"], ""
    while True:
        query = {"comp": "list", "marker": marker, "restype": "container"}
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
        # The path names the account twice: the emulator has it in its address, too.
        resource = f"/{account}/{account}/{container}" + "".join(f"\n{name}:{query[name]}" for name in sorted(query))
        canonical = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
        text = "GET" + "\n" * 12 + canonical + resource
        signature = hmac.new(base64.b64decode(parts["AccountKey"]), text.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {account}:{base64.b64encode(signature).decode()}"
        answer = httpx.get(f"{parts['BlobEndpoint']}/{container}", params=query, headers=headers, trust_env=False)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return
        page = answer.raise_for_status().text
        yield from _NAME.findall(page)
        marker = "".join(_NEXT.findall(page))
        if not marker:
            return
