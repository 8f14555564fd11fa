"""Events of secrets in Key Vaults."""

from local.cloud.events.named import UnknownEventError
from local.cloud.world.world import DeletedSecret, SecretVersion, Vault, World


def _secret(world: World, name: str, vault: str | None) -> tuple[Vault, list[SecretVersion]]:
    """The vault with a secret, and the secret's versions. Without a vault's name, any that has it."""
    for held in world.vaults.values():
        if vault in (None, held.name) and name.lower() in held.secrets:
            return held, held.secrets[name.lower()]
    raise UnknownEventError(f"there is no secret {name}")


def _newest(world: World, name: str, vault: str | None) -> SecretVersion:
    """The newest enabled version of a secret; where all are disabled, the newest."""
    _, versions = _secret(world, name, vault)
    return next((version for version in reversed(versions) if version.enabled), versions[-1])


def delete_secret(world: World, name: str, vault: str | None = None) -> None:
    """Delete a secret; it can be recovered."""
    held, versions = _secret(world, name, vault)
    del held.secrets[name.lower()]
    held.deleted[name.lower()] = DeletedSecret(versions, world.now)


def disable_secret(world: World, name: str, vault: str | None = None) -> None:
    """Disable the newest enabled version of a secret."""
    version = _newest(world, name, vault)
    version.enabled, version.updated = False, world.now


def set_secret_expiry(world: World, name: str, days: float, vault: str | None = None) -> None:
    """The newest enabled version of a secret expires so many days from now."""
    version = _newest(world, name, vault)
    version.expires, version.updated = int(world.after(days * 86400).timestamp()), world.now


def close_vault(world: World, name: str) -> None:
    """Close a vault's firewall to all clients."""
    _vault(world, name).closed = True


def open_vault(world: World, name: str) -> None:
    """A vault's firewall lets everybody in again."""
    _vault(world, name).closed = False


def _vault(world: World, name: str) -> Vault:
    if name not in world.vaults:
        raise UnknownEventError(f"there is no vault {name}")
    return world.vaults[name]
