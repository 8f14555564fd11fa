"""The created application's credential: a password in Key Vault, or the app's managed identity instead (step 4).

A password that never reached the vault, because the app died in between, is found by its name and removed. A crash
between two calls leaves at least one working credential, and at most two. The platform may deliver a call twice, and
run both at once. A password is named after the call that created it, so neither delivery removes the other's password,
and the result of either has a working credential.
"""

import asyncio
from asyncio import timeout
from collections.abc import AsyncIterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from activities.looks.remotes import key_id_of_version
from activities.orders import note_lost
from activities.step import LOOKS_IN_DIRECTORY, look_again, step
from clients.azure import graph, secrets
from clients.connections import connections
from clients.credentials import ApplicationCredential, Proof, automation_credential
from clients.fencing import outside_the_fence
from clients.known_secrets import remember
from clients.reads import Document, list_graph
from clients.registry import registry
from clients.remote_errors import or_none
from clients.settings import settings
from peering.facts import CredentialFacts, Facts, collected, needed
from peering.marks import KEY_ID, PEERING, ROTATION
from peering.naming import federated_credential_name, is_name_of_password, secret_name
from peering.orders import Lost
from peering.outcome import ProblemError
from peering.runs import FUNCTION_TIMEOUT
from peering.spec import Peering

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretProperties
    from azure.keyvault.secrets.aio import SecretClient
    from msgraph.generated.models.password_credential import PasswordCredential
    from msgraph.graph_service_client import GraphServiceClient

#: A stored password is used again as long as it has more than this left.
_RENEW_BEFORE: Final = timedelta(days=1)
#: How long a look at the deletion of a secret takes at the most, in seconds.
_DELETION_SECONDS: Final = 5
_REFUSALS: Final = range(400, 500)
_FEDERATED: Final[Facts] = {
    "credential": "federated",
    "secret_name": None,
    "secret_version": None,
    "secret_expires": None,
    "secret_key_id": None,
}


@dataclass(frozen=True)
class _Stored:
    """A version of the secret: `key_id` is that of its password in Entra, `rotation` the run that made it."""

    name: str
    version: str
    key_id: str | None
    rotation: str | None
    enabled: bool
    created: datetime | None
    expires: datetime | None

    @classmethod
    def of(cls, shown: "SecretProperties", facts: Facts) -> "_Stored":
        """A version that the vault shows.

        Raises:
            ProblemError: `remote-unavailable`, the vault left out which version it is.
        """
        if not shown.name or not shown.version:
            raise ProblemError("remote-unavailable", "Key Vault returned a secret without its id.")
        key_id = key_id_of_version(shown, facts.get("secret_version"), facts.get("secret_key_id"))
        rotation, enabled = (shown.tags or {}).get(ROTATION), shown.enabled is not False
        return cls(shown.name, shown.version, key_id, rotation, enabled, shown.created_on, shown.expires_on)


@step
async def application_credential(peering: Peering, facts: Facts) -> Facts:
    """Article step 4: a credential of the kind that is asked for, found or made; only a secret's name comes out."""
    object_id = needed(facts["application_object_id"])
    async with graph() as client:
        # Only a rotation changes the kind: it verifies the new one and removes the old.
        if facts.get("credential", peering["credential"]) == "federated":
            await _add_federated(client, peering, facts, object_id)
            return _FEDERATED
        async with secrets() as vault:
            versions = await _versions(vault, peering, facts)
            if not any(version.enabled for version in versions):
                return _secret_facts(await _only_password(client, vault, peering, facts, kept=None))
            passwords = await _own_passwords(client, peering, object_id)
            left = min(_RENEW_BEFORE, timedelta(days=peering["secret_lifetime_days"]) / 4)
            noted = [v for v in versions if v.version == facts.get("secret_version")]
            stored = _newest(noted, passwords, left) or _newest(versions, passwords, left)
            if stored is not None:
                keys = {version.key_id for version in versions}
                unstored = [p for p in passwords if str(p.key_id) not in keys]
                await _remove_all_but_twins(client, peering, facts, unstored)
                return _secret_facts(stored)
            ending = _newest(versions, passwords, timedelta())
            kept = ending.key_id if ending else None
            made = await _only_password(client, vault, peering, facts, kept)
            await _remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) == kept])
            return _secret_facts(made)


async def _only_password(
    client: "GraphServiceClient", vault: "SecretClient", peering: Peering, facts: Facts, kept: str | None
) -> _Stored:
    """A password, made and stored; all others go meanwhile, but for one that is kept."""
    stored, passwords = await _new_password(client, vault, peering, facts, rotation="")
    others = [p for p in passwords if str(p.key_id) not in (kept, stored.key_id)]
    await _remove_all_but_twins(client, peering, facts, others)
    return stored


@step
async def new_credential(peering: Peering, facts: Facts) -> Facts:
    """The candidate of a rotation, made beside the credential in use. What an earlier one left behind is removed."""
    rotation, object_id = facts["rotation"], needed(facts["application_object_id"])
    async with graph() as client:
        if rotation["credential"] == "federated":
            await _add_federated(client, peering, facts, object_id)
            return {"candidate": _FEDERATED}
        async with secrets() as vault:
            passwords, versions = await asyncio.gather(
                _own_passwords(client, peering, object_id), _versions(vault, peering, facts)
            )
            made = [v for v in versions if v.rotation == rotation["run"]]
            if (candidate := _newest(made, passwords, timedelta())) is not None:
                return {"candidate": _secret_facts(candidate)}
            kept = _key_in_use(versions, passwords, facts, made)
            stored, passwords = await _new_password(client, vault, peering, facts, rotation["run"])
            others = [p for p in passwords if str(p.key_id) not in (kept, stored.key_id)]
            if kept is None:
                # If it is unknown which one is in use, all stay until the candidate is verified.
                others = [p for p in others if p.display_name == _password_name(peering, facts)]
            await _remove_all_but_twins(client, peering, facts, others)
            return {"candidate": _secret_facts(stored)}


@step
async def prove_credential(_: Peering, facts: Facts) -> Facts:
    """Sign in with the candidate to the customer's tenant, and to the platform's once that knows the application."""
    candidate, scope = facts["candidate"], settings().cloud.resource_manager_scope
    proof = await proof_of(candidate)
    tenants = [tenant for tenant in (facts["tenant_id"], facts.get("to_tenant_id")) if isinstance(tenant, str)]
    for tenant in tenants:
        async with ApplicationCredential(tenant, needed(facts["application_id"]), proof) as credential:
            await credential.get_token(scope)
    return {"credential_proven": tenants}


@step
async def retire_credential(peering: Peering, facts: Facts) -> Facts:
    """Remove every credential of this app but the verified candidate, and disable the secret's old versions."""
    candidate, object_id = facts["candidate"], needed(facts["application_object_id"])
    async with graph() as client, secrets() as vault:
        passwords, versions = await asyncio.gather(
            _own_passwords(client, peering, object_id), _versions(vault, peering, facts)
        )
        key = candidate["secret_key_id"]
        await _remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) != key])
        for version in versions:
            if version.enabled and version.version != candidate["secret_version"]:
                await _disable(vault, version)
        if candidate["credential"] == "secret":
            await _remove_federated(client, peering, object_id)
    return collected(candidate)


@step
async def discard_credential(peering: Peering, facts: Facts) -> Facts:
    """Remove unverified candidates; the credential in use stays the only one.

    If an earlier execution has verified it and removed the old one, the candidate is the one in use.
    """
    rotation, object_id = facts["rotation"], needed(facts["application_object_id"])
    async with graph() as client, secrets() as vault:
        passwords = await _own_passwords(client, peering, object_id)
        if rotation["credential"] == "federated":
            if not passwords:
                return collected(facts["candidate"])
            await _remove_federated(client, peering, object_id)
            return {}
        candidate = facts["candidate"]
        # The vault may have left out which run has made a version.
        versions = await _versions(vault, peering, collected({**facts, **candidate}))
        made = [v for v in versions if v.rotation == rotation["run"] or v.version == candidate["secret_version"]]
        keys = {candidate["secret_key_id"], *(version.key_id for version in made)}
        others = [p for p in passwords if str(p.key_id) not in keys]
        trusted = await _own_federated(client, peering, object_id)
        if not others and not trusted:
            return collected(candidate)
        await _remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) in keys])
        for version in made:
            if version.enabled:
                await _disable(vault, version)
        if len(others) + len(trusted) > 1:
            await _look_later(peering)
    return {}


@step
async def retire_unknown_credentials(peering: Peering, facts: Facts) -> Facts:
    """Remove every credential of this app but the one in use: an interrupted run may have left others."""
    object_id = needed(facts["application_object_id"])
    async with graph() as client, secrets() as vault:
        passwords, versions = await asyncio.gather(
            or_none(_own_passwords(client, peering, object_id)), _versions(vault, peering, facts)
        )
        if passwords is None:
            if facts.get("application_removed") != object_id:
                unseen = f"Graph does not show the application {object_id}."
                look_again(facts, LOOKS_IN_DIRECTORY, "directory-replicating", unseen)
            return {}
        federated = facts.get("credential") == "federated"
        if federated and not await _own_federated(client, peering, object_id):
            # An interrupted rotation may have removed it: then a password is in use, and a later check looks again.
            await _look_later(peering)
            return {}
        kept = None if federated else _key_in_use(versions, passwords, facts, [])
        if federated or kept is not None:
            await _remove_passwords(client, object_id, [p for p in passwords if str(p.key_id) != kept])
            for version in versions:
                if version.enabled and (kept is None or version.key_id != kept):
                    await _disable(vault, version)
        if kept is not None:
            await _remove_federated(client, peering, object_id)
    return {}


async def withdraw_credentials(client: "GraphServiceClient", peering: Peering, object_id: str) -> None:
    """Remove this app's own credentials from an application that stays."""
    await _remove_passwords(client, object_id, await _own_passwords(client, peering, object_id))
    await _remove_federated(client, peering, object_id)


async def proof_of(facts: CredentialFacts) -> Proof:
    """What the created application signs in with, by the facts that name its credential."""
    if facts["credential"] == "federated":
        token = await automation_credential().get_token(settings().cloud.token_exchange_scope)
        return Proof(assertion=token.token)
    async with secrets() as vault:
        secret = await vault.get_secret(needed(facts["secret_name"]), needed(facts["secret_version"]))
    remember(secret.value)
    return Proof(password=secret.value or "")


async def kept_proof(facts: CredentialFacts) -> Proof:
    """The same, of a password that this worker has made without asking the vault for it."""
    held = connections().sign_ins.held(_kept_as(facts["secret_name"], facts["secret_version"]), Proof)
    return held if held is not None else await proof_of(facts)


def _kept_as(name: object, version: object) -> tuple[object, ...]:
    return "proof", name, version


def _secret_facts(stored: _Stored) -> Facts:
    return {
        "credential": "secret",
        "secret_name": stored.name,
        "secret_version": stored.version,
        "secret_expires": stored.expires.isoformat() if stored.expires else None,
        "secret_key_id": stored.key_id,
    }


async def _versions(vault: "SecretClient", peering: Peering, facts: Facts) -> list[_Stored]:
    listed = vault.list_properties_of_secret_versions(secret_name(peering["id"]))
    return [_Stored.of(one, facts) for one in await or_none(_all(listed)) or []]


async def _all(listed: "AsyncIterable[SecretProperties]") -> "list[SecretProperties]":
    return [one async for one in listed]


def _newest(versions: list[_Stored], passwords: "list[PasswordCredential]", left: timedelta) -> _Stored | None:
    """The newest enabled version with more than `left` until its end whose password the application still has."""
    until = datetime.now(UTC) + left
    # Entra, not the vault, decides whether a password still works.
    keys = {str(p.key_id) for p in passwords if p.end_date_time is None or p.end_date_time > until}
    usable = [v for v in versions if v.enabled and v.expires and v.expires > until]
    known = [v for v in usable if v.key_id in keys]
    return max(known, key=lambda v: v.created or datetime.min.replace(tzinfo=UTC), default=None)


def _key_in_use(
    versions: list[_Stored],
    passwords: "list[PasswordCredential]",
    facts: Facts,
    made: list[_Stored],
) -> str | None:
    """The key id of the password that the peering signs in with: the one that its runs recorded, not the vault.

    Only if that one is deleted, the newest other stored one is used.
    """
    noted = next((v for v in versions if v.version == facts.get("secret_version")), None)
    keys = (facts.get("secret_key_id"), noted.key_id if noted else None)
    if (known := next((str(p.key_id) for p in passwords if str(p.key_id) in keys), None)) is not None:
        return known
    newest = _newest([v for v in versions if v not in made], passwords, timedelta())
    return newest.key_id if newest else None


async def _own_passwords(client: "GraphServiceClient", peering: Peering, object_id: str) -> "list[PasswordCredential]":
    held = await _all_passwords(client, object_id)
    return [p for p in held if is_name_of_password(p.display_name or "", peering["id"])]


async def _all_passwords(client: "GraphServiceClient", object_id: str) -> "list[PasswordCredential]":
    """The passwords of an application.

    Raises:
        ProblemError: `remote-unavailable`, Graph left them out, or their ids: nobody may take them for removed.
    """
    application = await client.applications.by_application_id(object_id).get()
    held = application.password_credentials if application is not None else None
    if held is None or any(password.key_id is None for password in held):
        raise ProblemError("remote-unavailable", "Graph returned an application without its passwords or their ids.")
    return held


def _password_name(peering: Peering, facts: Facts) -> str:
    """What Entra shows for a password that this call makes; a second delivery of the call uses the same name."""
    return f"{secret_name(peering['id'])} {facts['call']}"


async def _remove_all_but_twins(
    client: "GraphServiceClient", peering: Peering, facts: Facts, passwords: "list[PasswordCredential]"
) -> None:
    """Remove passwords, except those of another running delivery of this call: its result may be the one that counts.

    A later check removes what that one has created.
    """
    name, since = _password_name(peering, facts), registry().now - FUNCTION_TIMEOUT
    going = [p for p in passwords if p.display_name != name or (p.start_date_time or since) <= since]
    await _remove_passwords(client, needed(facts["application_object_id"]), going)
    if len(going) < len(passwords):
        await _look_later(peering)


async def _look_later(peering: Peering) -> None:
    """Let a later check look for credentials that nobody has recorded."""
    await note_lost(Lost(id=peering["id"], at=registry().now.isoformat()))


async def _new_password(
    client: "GraphServiceClient", vault: "SecretClient", peering: Peering, facts: Facts, rotation: str
) -> "tuple[_Stored, list[PasswordCredential]]":
    """Make and store a password; returns it, and those that the application has by then.

    They are listed when it is made: of two deliveries of this call, the second one to make a password sees the other's.
    """
    password = await _make_password(client, peering, facts)
    storing = asyncio.ensure_future(_kept_or_removed(client, vault, peering, facts, password, rotation))
    listing = asyncio.ensure_future(_own_passwords(client, peering, needed(facts["application_object_id"])))
    # Neither goes on when this call has ended.
    await asyncio.gather(storing, listing, return_exceptions=True)
    return storing.result(), listing.result()


async def _kept_or_removed(
    client: "GraphServiceClient",
    vault: "SecretClient",
    peering: Peering,
    facts: Facts,
    password: "PasswordCredential",
    rotation: str,
) -> _Stored:
    """Store a new password; one that the vault refuses is removed immediately."""
    from azure.core.exceptions import HttpResponseError

    try:
        return await _store(vault, peering, password, rotation)
    except HttpResponseError as error:
        # A refused password is not stored; if the response is lost, it may be.
        if error.status_code in _REFUSALS:
            await _remove_passwords(client, needed(facts["application_object_id"]), [password])
        raise
    except ProblemError as error:
        # The order has changed before anything was stored: only this call knows the password.
        if error.occurrence["code"] == "run-superseded":
            await _remove_unstored(client, peering, facts, password)
        raise


async def _remove_unstored(
    client: "GraphServiceClient", peering: Peering, facts: Facts, password: "PasswordCredential"
) -> None:
    """Remove a password that was never stored, though the order has changed; a later check looks if that fails."""
    try:
        with outside_the_fence():
            await _remove_passwords(client, needed(facts["application_object_id"]), [password])
    except BaseException:
        await _look_later(peering)
        raise


async def _make_password(client: "GraphServiceClient", peering: Peering, facts: Facts) -> "PasswordCredential":
    from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
        AddPasswordPostRequestBody,
    )
    from msgraph.generated.models.password_credential import PasswordCredential

    expires = (datetime.now(UTC) + timedelta(days=peering["secret_lifetime_days"])).replace(microsecond=0)
    wanted = PasswordCredential(display_name=_password_name(peering, facts), end_date_time=expires)
    made = await client.applications.by_application_id(needed(facts["application_object_id"])).add_password.post(
        AddPasswordPostRequestBody(password_credential=wanted)
    )
    remember(made.secret_text if made is not None else None)
    if made is None or made.secret_text is None or made.key_id is None:
        raise ProblemError("remote-unavailable", "Graph created a password without returning it, or its id.")
    made.end_date_time = expires
    return made


async def _store(vault: "SecretClient", peering: Peering, password: "PasswordCredential", rotation: str) -> _Stored:
    """Store a new password in the vault; this worker keeps it."""
    from azure.core.exceptions import ResourceExistsError

    name, value, key_id = secret_name(peering["id"]), password.secret_text or "", str(password.key_id)
    try:
        secret = await vault.set_secret(
            name,
            value,
            expires_on=password.end_date_time,
            content_type="password of an Entra application",
            tags={KEY_ID: key_id, PEERING: peering["id"], ROTATION: rotation},
        )
    except ResourceExistsError:
        # The name belongs to the deleted secret of an earlier peering.
        with suppress(TimeoutError):
            async with timeout(_DELETION_SECONDS):
                await or_none(vault.recover_deleted_secret(name))
        raise
    # What was put is known, whatever the answer leaves out.
    shown = _Stored.of(secret.properties, {})
    stored = replace(shown, key_id=key_id, rotation=rotation, expires=password.end_date_time)
    connections().sign_ins.get(_kept_as(name, stored.version), lambda: Proof(password=value))
    return stored


async def _remove_passwords(
    client: "GraphServiceClient", object_id: str, passwords: "list[PasswordCredential]"
) -> None:
    from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
        RemovePasswordPostRequestBody,
    )
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    application = client.applications.by_application_id(object_id)
    for password in passwords:
        try:
            await application.remove_password.post(RemovePasswordPostRequestBody(key_id=password.key_id))
        except ODataError:
            # Of two calls that remove one, the second is told that there is none.
            if password.key_id in {p.key_id for p in await _all_passwords(client, object_id)}:
                raise


async def _disable(vault: "SecretClient", version: _Stored) -> None:
    await vault.update_secret_properties(version.name, version.version, enabled=False)


async def _add_federated(client: "GraphServiceClient", peering: Peering, facts: Facts, object_id: str) -> None:
    """Let the application take tokens of the app's own managed identity (Entra, "trust a managed identity")."""
    from msgraph.generated.models.federated_identity_credential import FederatedIdentityCredential

    settings().check_credential("federated")
    name, cloud = federated_credential_name(peering["id"]), settings().cloud
    held = client.applications.by_application_id(object_id).federated_identity_credentials
    issuer, subject = (
        f"{cloud.authority}/{facts['automation_tenant_id']}/v2.0",
        facts["automation_object_id"],
    )
    for credential in await _own_federated(client, peering, object_id):
        if (credential.get("issuer"), credential.get("subject")) == (issuer, subject):
            return
        await held.by_federated_identity_credential_id(credential["id"]).delete()
    await held.post(
        FederatedIdentityCredential(name=name, issuer=issuer, subject=subject, audiences=[cloud.token_exchange])
    )


async def _own_federated(client: "GraphServiceClient", peering: Peering, object_id: str) -> list[Document]:
    """This peering's federated credentials of an application.

    Raises:
        RemoteError: Graph refused, or left out a part: then they are not known to be absent.
    """
    path, name = f"applications/{object_id}/federatedIdentityCredentials", federated_credential_name(peering["id"])
    listed = await list_graph(client, path, {"$select": "id,name,issuer,subject"}, "id", "name")
    return [one for one in listed if one["name"] == name]


async def _remove_federated(client: "GraphServiceClient", peering: Peering, object_id: str) -> None:
    held = client.applications.by_application_id(object_id).federated_identity_credentials
    for credential in await _own_federated(client, peering, object_id):
        await held.by_federated_identity_credential_id(credential["id"]).delete()


@step
async def remove_secret(peering: Peering, _: Facts) -> Facts:
    """Soft-delete the password's secret; a missing or deleted one is ignored."""
    name = secret_name(peering["id"])
    async with secrets() as vault:
        try:
            # The SDK would wait until the vault has deleted it; the orchestrator polls instead.
            async with timeout(_DELETION_SECONDS):
                await or_none(vault.delete_secret(name))
        except TimeoutError:
            raise ProblemError("secret-being-deleted", f"The secret {name} is being deleted.") from None
    return {"secret_removed": name}
