"""The Table services that one test runs against: the local cloud's, and Azurite."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from azure.data.tables import TableClient, TableServiceClient
from azure.data.tables.aio import TableServiceClient as AsyncTableServiceClient
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

from local.genuine import AZURITE
from local.genuine.azurite import Azurite
from tests.cloud.callers import Callers, callers

_CREDENTIAL: Final = ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")
_NUMBERS: Final = count()


@dataclass
class Tables:
    """The SDK on one of the services; `opened` gives its client for coroutines."""

    service: TableServiceClient
    opened: Callable[[], AbstractAsyncContextManager[AsyncTableServiceClient]]

    def table(self) -> TableClient:
        """A new table."""
        return self.service.create_table(f"Table{next(_NUMBERS)}")


def credential(cloud: Callers) -> ClientSecretCredential:
    """That of the automation identity."""
    environment = cloud.cloud.environment
    return ClientSecretCredential(*(environment[f"AZURE_{name}"] for name in _CREDENTIAL))


@contextmanager
def local_tables(directory: Path) -> Iterator[Tables]:
    """The local cloud's, through its proxy and with a token."""
    with pytest.MonkeyPatch.context() as patch, callers(directory, patch) as cloud:
        endpoint = cloud.cloud.environment["REGISTRY_TABLE_ENDPOINT"]

        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncTableServiceClient]:
            given = (cloud.cloud.environment[f"AZURE_{name}"] for name in _CREDENTIAL)
            async with (
                AsyncClientSecretCredential(*given) as identity,
                AsyncTableServiceClient(endpoint, credential=identity) as service,
            ):
                yield service

        with TableServiceClient(endpoint, credential=credential(cloud)) as service:
            yield Tables(service, opened)


@contextmanager
def azurite_tables(directory: Path) -> Iterator[Tables]:
    """Azurite's, over plain HTTP and with the account's key."""
    azurite = Azurite(AZURITE, {}, directory)
    try:
        with TableServiceClient.from_connection_string(azurite.connection) as service:
            yield Tables(service, lambda: AsyncTableServiceClient.from_connection_string(azurite.connection))
    finally:
        azurite.stop()
