"""Whether the app may write secrets: by its roles on the vault, or by the access policies of a vault that has them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from activities.looks.ahead import ahead
from activities.looks.own_rights import permissions_at
from clients.reads import read_arm
from clients.remote_errors import RemoteError
from clients.settings import settings
from peering.outcome import Occurrence, ProblemError
from peering.remote_answers import read
from peering.rights import Granted, permits

WRITE_SECRETS: Final = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
DELETE_SECRETS: Final = "Microsoft.KeyVault/vaults/secrets/delete"
#: What an access policy has to allow on secrets: always, and for a data action.
_ALWAYS: Final = ("get", "list")
_ALLOWING: Final = {WRITE_SECRETS: ("set", "delete", "recover"), DELETE_SECRETS: ("delete",)}
_FORBIDDEN: Final = 403


@dataclass(frozen=True)
class VaultLook:
    """The access settings of a vault; `permissions` are the app's own, if the vault uses roles."""

    properties: dict[str, Any] | None
    permissions: list[Granted]


async def rights_in_vault(object_id: str, *needed: str) -> list[Occurrence]:
    """The rights that the app's identity lacks in the vault; other steps have shown that it may read secrets.

    Args:
        object_id: the identity.
        needed: the data actions that it needs: `WRITE_SECRETS`, `DELETE_SECRETS`.

    Raises:
        RemoteError: Azure refused, or did not answer.
    """
    vault, look = settings().key_vault_id, await ahead(look_at_vault)
    if vault is None or look is None:
        return []
    if _has_policies(look.properties):
        return _by_policies(look.properties or {}, object_id, vault, needed)
    return [
        Occurrence(code="vault-access-denied", detail=f"The app's identity lacks {action} on {vault}.")
        for action in needed
        if not permits(look.permissions, action)
    ]


async def look_at_vault() -> VaultLook | None:
    """Read the vault, if the settings have its id."""
    vault = settings().key_vault_id
    if vault is None:
        return None
    _, _, subscription, *_ = vault.split("/")
    try:
        properties, held = await asyncio.gather(_properties(subscription, vault), permissions_at(subscription, vault))
    except RemoteError as error:
        if not error.answer.is_absence:
            raise
        # The vault answers by its name, so it is its id that is wrong.
        detail, remote = f"KEY_VAULT_ID: Azure knows no {vault}.", read(error.answer)["remote"]
        raise ProblemError("setting-invalid", detail, remote=remote) from error
    granted = [Granted(one.get("dataActions") or [], one.get("notDataActions") or []) for one in held]
    return VaultLook(properties, granted)


def _has_policies(properties: dict[str, Any] | None) -> bool:
    return properties is not None and properties.get("enableRbacAuthorization") is False


async def _properties(subscription: str, vault: str) -> dict[str, Any] | None:
    """The vault's properties, or None if the app may not read them."""
    try:
        found: dict[str, Any] = (await read_arm(subscription, vault, "2023-07-01", "properties"))["properties"]
    except RemoteError as error:
        if not error.answer.refuses(_FORBIDDEN):
            raise
        return None
    return found


def _by_policies(properties: dict[str, Any], object_id: str, vault: str, needed: Sequence[str]) -> list[Occurrence]:
    """The permissions that are missing in the access policies of a vault: there, roles have no effect."""
    allowed = {
        permission.lower()
        for policy in properties.get("accessPolicies", [])
        if policy.get("objectId") == object_id
        for permission in policy.get("permissions", {}).get("secrets", [])
    }
    wanted = dict.fromkeys((*_ALWAYS, *chain.from_iterable(_ALLOWING[action] for action in needed)))
    missing = [] if "all" in allowed else [name for name in wanted if name not in allowed]
    if not missing:
        return []
    detail = f"No access policy of {vault} lets the app {', '.join(missing)} secrets."
    return [Occurrence(code="vault-access-policy-missing", detail=detail)]
