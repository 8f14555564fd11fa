"""The created application's credential: a password in Key Vault, or the app's managed identity instead (step 4).

A crash between two calls leaves at least one working credential, and at most two.
"""

import asyncio
from asyncio import timeout
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from activities.proofs import proof_of
from activities.step import LOOKS_IN_DIRECTORY, look_again, step
from activities.steps.federated import add_federated, is_federated, own_federated, remove_federated
from activities.steps.passwords import (
    DELETION_SECONDS,
    Stored,
    disable,
    key_in_use,
    look_later,
    new_password,
    newest_usable,
    own_passwords,
    password_name,
    remove_all_but_twins,
    remove_passwords,
    renewed_before_end,
    versions_of,
)
from clients.azure import graph, secrets
from clients.credentials import ApplicationCredential
from clients.remote_errors import is_absence, or_none
from clients.settings import settings
from peering.facts import Facts, needed, of_credential
from peering.naming import secret_name
from peering.outcome import ProblemError
from peering.spec import Peering

if TYPE_CHECKING:
    from azure.keyvault.secrets.aio import SecretClient
    from msgraph.generated.models.password_credential import PasswordCredential
    from msgraph.graph_service_client import GraphServiceClient

_FEDERATED: Final[Facts] = {
    "credential": "federated",
    "secret_name": None,
    "secret_version": None,
    "secret_expires": None,
    "secret_key_id": None,
}


@step
async def application_credential(peering: Peering, facts: Facts) -> Facts:
    """Article step 4: a credential of the requested kind, found or created; only a secret's name is returned."""
    object_id = needed(facts["application_object_id"])
    async with graph() as client:
        # Only a rotation changes the kind: it verifies the new one and removes the old.
        if is_federated(peering, facts):
            await add_federated(client, peering, facts, object_id)
            return _FEDERATED
        async with secrets() as vault:
            versions = await versions_of(vault, peering, facts)
            if not any(version.enabled for version in versions):
                return _secret_facts(await _only_password(client, vault, peering, facts, kept=None))
            passwords = await own_passwords(client, peering, object_id)
            stored = _usable(peering, facts, versions, passwords)
            if stored is not None:
                keys = {version.key_id for version in versions}
                unstored = [p for p in passwords if str(p.key_id) not in keys]
                await remove_all_but_twins(client, peering, facts, unstored)
                return _secret_facts(stored)
            ending = newest_usable(versions, passwords, timedelta())
            kept = ending.key_id if ending else None
            made = await _only_password(client, vault, peering, facts, kept)
            await remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) == kept])
            return _secret_facts(made)


def _usable(
    peering: Peering, facts: Facts, versions: list[Stored], passwords: "list[PasswordCredential]"
) -> Stored | None:
    """The stored password that stays in use: the recorded one, else the newest other."""
    left = renewed_before_end(peering)
    noted = [v for v in versions if v.version == facts.get("secret_version")]
    return newest_usable(noted, passwords, left) or newest_usable(versions, passwords, left)


async def is_without_password(peering: Peering, facts: Facts) -> bool:
    """Whether the step `application_credential` would make a password. Nothing is changed.

    Args:
        peering: the peering.
        facts: name its application and, if there is one, the recorded password.
    """
    if is_federated(peering, facts):
        return False
    async with graph() as client, secrets() as vault:
        versions, passwords = await asyncio.gather(
            versions_of(vault, peering, facts), own_passwords(client, peering, needed(facts["application_object_id"]))
        )
    return _usable(peering, facts, versions, passwords) is None


async def _only_password(
    client: "GraphServiceClient", vault: "SecretClient", peering: Peering, facts: Facts, kept: str | None
) -> Stored:
    """A password, made and stored; all others go meanwhile, but for one that is kept."""
    stored, passwords = await new_password(client, vault, peering, facts, rotation="")
    others = [p for p in passwords if str(p.key_id) not in (kept, stored.key_id)]
    await remove_all_but_twins(client, peering, facts, others)
    return stored


@step
async def new_credential(peering: Peering, facts: Facts) -> Facts:
    """The candidate of a rotation, made beside the credential in use. What an earlier one left behind is removed."""
    rotation, object_id = facts["rotation"], needed(facts["application_object_id"])
    async with graph() as client:
        if rotation["credential"] == "federated":
            with _missed_if_unseen(facts, object_id):
                await add_federated(client, peering, facts, object_id)
            return {"candidate": _FEDERATED}
        async with secrets() as vault:
            passwords, versions = await _held(client, vault, peering, facts)
            made = [v for v in versions if v.rotation == rotation["run"]]
            if (candidate := newest_usable(made, passwords, timedelta())) is not None:
                return {"candidate": _secret_facts(candidate)}
            kept = key_in_use(versions, passwords, facts, made)
            stored, passwords = await new_password(client, vault, peering, facts, rotation["run"])
            others = [p for p in passwords if str(p.key_id) not in (kept, stored.key_id)]
            if kept is None:
                # If it is unknown which one is in use, all stay until the candidate is verified.
                others = [p for p in others if p.display_name == password_name(peering, facts)]
            await remove_all_but_twins(client, peering, facts, others)
            return {"candidate": _secret_facts(stored)}


async def _held(
    client: "GraphServiceClient", vault: "SecretClient", peering: Peering, facts: Facts
) -> "tuple[list[PasswordCredential], list[Stored]]":
    """The application's passwords, and the versions of the secret, for a step of a rotation.

    Raises:
        ProblemError: `application-missing`, Graph does not show the application.
    """
    object_id = needed(facts["application_object_id"])
    with _missed_if_unseen(facts, object_id):
        return await asyncio.gather(own_passwords(client, peering, object_id), versions_of(vault, peering, facts))


@contextmanager
def _missed_if_unseen(facts: Facts, object_id: str) -> Iterator[None]:
    """Let a recorded application that Graph does not show count as deleted after enough looks.

    Raises:
        ProblemError: `application-missing`; before that `directory-replicating`.
    """
    try:
        yield
    except Exception as error:
        if not is_absence(error):
            raise
        unseen = f"Graph does not show the application {object_id}."
        look_again(facts, LOOKS_IN_DIRECTORY, "directory-replicating", unseen)
        raise ProblemError("application-missing", unseen) from None


@step
async def prove_credential(_: Peering, facts: Facts) -> Facts:
    """Sign in with the candidate to the customer's tenant, and to the platform's once that knows the application."""
    candidate, scope = facts["candidate"], settings().cloud.resource_manager_scope
    proof = await proof_of(candidate)
    home, application_id = facts["tenant_id"], needed(facts["application_id"])
    tenants = [tenant for tenant in (home, facts.get("to_tenant_id")) if isinstance(tenant, str)]
    for tenant in tenants:
        async with ApplicationCredential(tenant, application_id, proof, at_home=tenant == home) as credential:
            await credential.get_token(scope)
    return {"credential_proven": tenants}


@step
async def retire_credential(peering: Peering, facts: Facts) -> Facts:
    """Remove every credential of this app but the verified candidate, and disable the secret's old versions."""
    candidate, object_id = facts["candidate"], needed(facts["application_object_id"])
    async with graph() as client, secrets() as vault:
        passwords, versions = await _held(client, vault, peering, facts)
        key = candidate["secret_key_id"]
        # A list without the verified password, or without the one to remove, is outdated.
        shown = {str(p.key_id) for p in passwords}
        if (expected := key or facts.get("secret_key_id")) is not None and expected not in shown:
            unseen = f"Graph does not show the password {expected} of the application {object_id}."
            look_again(facts, LOOKS_IN_DIRECTORY, "directory-replicating", unseen)
        await remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) != key])
        for version in versions:
            if version.enabled and version.version != candidate["secret_version"]:
                await disable(vault, version)
        if candidate["credential"] == "secret":
            await remove_federated(client, peering, object_id)
    return of_credential(candidate)


@step
async def discard_credential(peering: Peering, facts: Facts) -> Facts:
    """Remove unverified candidates; the credential in use stays the only one.

    If an earlier execution has verified it and removed the old one, the candidate is the one in use.
    """
    rotation, object_id = facts["rotation"], needed(facts["application_object_id"])
    async with graph() as client, secrets() as vault:
        passwords = await own_passwords(client, peering, object_id)
        if rotation["credential"] == "federated":
            if not passwords:
                return of_credential(facts["candidate"])
            await remove_federated(client, peering, object_id)
            return {}
        candidate = facts["candidate"]
        # The vault may have left out which run has made a version.
        versions = await versions_of(vault, peering, {**facts, **candidate})
        made = [v for v in versions if v.rotation == rotation["run"] or v.version == candidate["secret_version"]]
        keys = {candidate["secret_key_id"], *(version.key_id for version in made)}
        others = [p for p in passwords if str(p.key_id) not in keys]
        trusted = await own_federated(client, peering, object_id)
        if not others and not trusted:
            return of_credential(candidate)
        await remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) in keys])
        for version in made:
            if version.enabled:
                await disable(vault, version)
        if len(others) + len(trusted) > 1:
            await look_later(peering)
    return {}


@step
async def retire_unknown_credentials(peering: Peering, facts: Facts) -> Facts:
    """Remove every credential of this app but the one in use: an interrupted run may have left others."""
    object_id = needed(facts["application_object_id"])
    async with graph() as client, secrets() as vault:
        passwords, versions = await asyncio.gather(
            or_none(own_passwords(client, peering, object_id)), versions_of(vault, peering, facts)
        )
        if passwords is None:
            if facts.get("application_removed") != object_id:
                unseen = f"Graph does not show the application {object_id}."
                look_again(facts, LOOKS_IN_DIRECTORY, "directory-replicating", unseen)
            return {}
        federated = facts.get("credential") == "federated"
        if federated and not await own_federated(client, peering, object_id):
            # An interrupted rotation may have removed it: then a password is in use, and a later check repeats this.
            await look_later(peering)
            return {}
        kept = None if federated else key_in_use(versions, passwords, facts, [])
        if federated or kept is not None:
            await remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) != kept])
            for version in versions:
                if version.enabled and (kept is None or version.key_id != kept):
                    await disable(vault, version)
        if kept is not None:
            await remove_federated(client, peering, object_id)
    return {}


async def withdraw_credentials(client: "GraphServiceClient", peering: Peering, facts: Facts, object_id: str) -> None:
    """Remove this app's own credentials from an application that stays.

    Raises:
        ProblemError: `directory-replicating`, Graph does not show the recorded one; later polls count it as removed.
    """
    passwords, trusted = await asyncio.gather(
        own_passwords(client, peering, object_id), own_federated(client, peering, object_id)
    )
    key = facts.get("secret_key_id")
    is_shown = (
        bool(trusted) if facts.get("credential") == "federated" else key in (None, *(str(p.key_id) for p in passwords))
    )
    if not is_shown:
        unseen = f"Graph does not show the app's own credential of the application {object_id}."
        look_again(facts, LOOKS_IN_DIRECTORY, "directory-replicating", unseen)
    await remove_passwords(client, object_id, passwords)
    await remove_federated(client, peering, object_id)


async def has_own_credentials(client: "GraphServiceClient", peering: Peering, application_id: str) -> bool:
    """Whether an application that stays has a credential of this app's still."""
    held = await or_none(client.applications_with_app_id(application_id).get())
    if held is None:
        return False
    if held.id is None:
        raise ProblemError("remote-unavailable", "Graph left out the id of the application.")
    return bool(await own_passwords(client, peering, held.id) or await own_federated(client, peering, held.id))


def _secret_facts(stored: Stored) -> Facts:
    return {
        "credential": "secret",
        "secret_name": stored.name,
        "secret_version": stored.version,
        "secret_expires": stored.expires.isoformat() if stored.expires else None,
        "secret_key_id": stored.key_id,
    }


@step
async def remove_secret(peering: Peering, _: Facts) -> Facts:
    """Soft-delete the password's secret; a missing or deleted one is ignored."""
    name = secret_name(peering["id"])
    async with secrets() as vault:
        try:
            # The SDK would wait until the vault has deleted it; the orchestrator polls instead.
            async with timeout(DELETION_SECONDS):
                await or_none(vault.delete_secret(name))
        except TimeoutError:
            raise ProblemError("secret-being-deleted", f"The secret {name} is being deleted.") from None
    return {"secret_removed": name}
