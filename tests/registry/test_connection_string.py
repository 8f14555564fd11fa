"""Where the registry is that no setting names: in the account of the host's connection string, or nowhere."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from clients.registry.tables import Registry, table_service
from clients.settings import STORAGE, settings
from local.genuine import AZURITE
from local.genuine.azurite import Azurite
from peering.outcome import ProblemError
from tests.registry.registry_on_tables import ask, peering

_SETTINGS: Final = {"AZURE_CREDENTIAL": "managed-identity", "KEY_VAULT_NAME": "my-vault", "AIVEN_AUTH_TOKEN": "a-token"}


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings that do not say where the registry is."""
    for name in ("REGISTRY_TABLE_ENDPOINT", STORAGE, f"{STORAGE}__accountName", f"{STORAGE}__tableServiceUri"):
        monkeypatch.delenv(name, raising=False)
    for name, value in _SETTINGS.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.node
def test_it_is_in_the_account_of_the_hosts_connection_string(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def test() -> None:
        async with table_service() as service:
            assert (await ask(Registry(service), peering(1))).answer == "accept"
            assert [order["id"] for order in await Registry(service).orders()] == [peering(1)["id"]]

    azurite = Azurite(AZURITE, {}, tmp_path)
    try:
        monkeypatch.setenv(STORAGE, azurite.connection)
        asyncio.run(test())
    finally:
        azurite.stop()


def test_an_app_that_nothing_tells_where_it_is_names_the_setting() -> None:
    async def test() -> None:
        table_service()

    with pytest.raises(ProblemError) as refused:
        asyncio.run(test())
    assert refused.value.occurrence["code"] == "setting-invalid"
    assert "REGISTRY_TABLE_ENDPOINT" in refused.value.occurrence["detail"]
