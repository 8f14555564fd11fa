"""The host name of a service is not known: of the vault, whose name is a setting, that is a problem of its own."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from activities.remote_errors import occurrence_of
from clients.settings import settings
from peering.problems.remote_codes import Identity, Service
from tests.remote_answers.asking import ASK

_CODES: Final[dict[Service, str]] = {
    "Azure Key Vault": "vault-not-found",
    "Azure Resource Manager": "remote-unavailable",
    "Microsoft Graph": "remote-unavailable",
    "Azure Table Storage": "remote-unavailable",
    "Aiven": "remote-unavailable",
}


async def _failure(ask: Callable[[Identity], Awaitable[object]]) -> Exception:
    try:
        await ask("automation")
    except Exception as error:
        return error
    raise AssertionError("it was reached")


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("service", _CODES)
def test_it_was_not_reached_and_only_the_vaults_name_is_the_operators(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    hosts = {
        "Azure Key Vault": settings().cloud.vault_url(settings().key_vault_name),
        "Azure Resource Manager": settings().cloud.resource_manager,
        "Microsoft Graph": settings().cloud.graph,
        "Azure Table Storage": settings().registry_endpoint or "",
        "Aiven": "https://api.aiven.io",
    }
    unknown, known = hosts[service].partition("://")[2].rstrip("/"), socket.getaddrinfo

    def resolve(host: str | bytes | None, *given: object, **options: object) -> object:
        if host in (unknown, unknown.encode()):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    # The proxy of the local cloud knows all names.
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, unknown)
    occurrence = occurrence_of(asyncio.run(_failure(ASK[service][1])))
    assert occurrence is not None
    assert (occurrence["code"], occurrence["remote"]["status"]) == (_CODES[service], None)
    assert "was not reached" in occurrence["detail"]
