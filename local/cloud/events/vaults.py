"""Events of secrets in Key Vaults."""

from local.cloud.events.named import UnknownEventError
from local.cloud.world.world import DeletedSecret, SecretVersion, Vault, World


def _secret(world: World, name: str, vault: str | None) -> tuple[Vault, list[SecretVersion]]:
    """The vault with a secret, and the secret's versions. Without a vault's name, any that has it."""
    for held in world.vaults.values():
        if vault in (None, held.name) and name.lower() in held.secrets:
            return held, held.secrets[name.lower()]
    raise UnknownEventError(f"there is no secret {name}")


def delete_secret(world: World, name: str, vault: str | None = None) -> None:
    """Delete a secret; it can be recovered."""
    held, versions = _secret(world, name, vault)
    del held.secrets[name.lower()]
    held.deleted[name.lower()] = DeletedSecret(versions, world.now)


def disable_secret(world: World, name: str, vault: str | None = None) -> None:
    """Disable the newest version of a secret."""
    _, versions = _secret(world, name, vault)
    versions[-1].enabled, versions[-1].updated = False, world.now


def set_secret_expiry(world: World, name: str, days: float, vault: str | None = None) -> None:
    """The newest version of a secret expires so many days from now."""
    _, versions = _secret(world, name, vault)
    versions[-1].expires, versions[-1].updated = int(world.after(days * 86400).timestamp()), world.now


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
