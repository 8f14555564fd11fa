"""Whether the app may write secrets: by its roles on the vault, or by the access policies of a vault that has them."""

from typing import Any, Final

from clients.azure import authorization, read_arm
from clients.remote_errors import RemoteError
from clients.settings import settings
from peering.outcome import Occurrence
from peering.rights import grants

_WRITE_SECRETS: Final = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
#: What an access policy has to allow on secrets.
_NEEDED: Final = ("get", "list", "set", "delete", "recover")
_FORBIDDEN: Final = 403


async def rights_in_vault(object_id: str) -> list[Occurrence]:
    """What the app's identity lacks in the vault; that it may read secrets the inventory has shown."""
    vault = settings().key_vault_id
    if vault is None:
        return []
    _, _, subscription, _, group, *_, name = vault.split("/")
    properties = await _properties(subscription, vault)
    if properties is not None and properties.get("enableRbacAuthorization") is False:
        return _by_policies(properties, object_id, vault)
    async with authorization(subscription) as client:
        listed = client.permissions.list_for_resource(group, "Microsoft.KeyVault", "", "vaults", name)
        held = [permission async for permission in listed]
    if any(
        grants(p.data_actions or [], _WRITE_SECRETS) and not grants(p.not_data_actions or [], _WRITE_SECRETS)
        for p in held
    ):
        return []
    return [Occurrence(code="vault-access-denied", detail=f"The app's identity lacks {_WRITE_SECRETS} on {vault}.")]


async def _properties(subscription: str, vault: str) -> dict[str, Any] | None:
    """The vault's properties, or None where the app may not read them."""
    try:
        found: dict[str, Any] = (await read_arm(subscription, vault, "2023-07-01"))["properties"]
    except RemoteError as error:
        if error.answer.status != _FORBIDDEN:
            raise
        return None
    return found


def _by_policies(properties: dict[str, Any], object_id: str, vault: str) -> list[Occurrence]:
    """What the access policies of a vault do not allow: there, roles count for nothing."""
    allowed = {
        permission.lower()
        for policy in properties.get("accessPolicies", [])
        if policy.get("objectId") == object_id
        for permission in policy.get("permissions", {}).get("secrets", [])
    }
    missing = [] if "all" in allowed else [name for name in _NEEDED if name not in allowed]
    if not missing:
        return []
    detail = f"No access policy of {vault} lets the app {', '.join(missing)} secrets."
    return [Occurrence(code="vault-access-policy-missing", detail=detail)]
