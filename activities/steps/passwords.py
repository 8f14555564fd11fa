"""The passwords of a created application, and the versions of the secret that has them (step 4).

A password that never reached the vault, because the app died in between, is found by its name and removed. The platform
may deliver a call twice, and run both at once. A password is named after the call that created it, so neither delivery
removes the other's password, and the result of either has a working credential.
"""

import asyncio
from asyncio import timeout
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from activities.looks.remotes import key_id_of_version, versions_of_secret
from activities.orders import note_lost
from activities.proofs import keep_password
from clients.fencing import outside_the_fence
from clients.known_secrets import remember
from clients.registry import registry
from clients.remote_errors import or_none
from peering.facts import Facts, needed
from peering.marks import KEY_ID, PEERING, ROTATION
from peering.naming import is_name_of_password, secret_name
from peering.orders import Lost
from peering.outcome import ProblemError
from peering.runs import FUNCTION_TIMEOUT
from peering.spec import Peering

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretProperties
    from azure.keyvault.secrets.aio import SecretClient
    from msgraph.generated.models.password_credential import PasswordCredential
    from msgraph.graph_service_client import GraphServiceClient

#: The timeout of one poll of a secret's deletion, in seconds.
DELETION_SECONDS: Final = 5
_REFUSALS: Final = range(400, 500)
_RENEWED_BEFORE: Final = timedelta(days=1)


def renewed_before_end(peering: Peering) -> timedelta:
    """A stored password is used again as long as it has more than this left."""
    return min(_RENEWED_BEFORE, timedelta(days=peering["secret_lifetime_days"]) / 4)


@dataclass(frozen=True)
class Stored:
    """A version of the secret: `key_id` is that of its password in Entra, `rotation` the run that made it."""

    name: str
    version: str
    key_id: str | None
    rotation: str | None
    enabled: bool
    created: datetime | None
    expires: datetime | None

    @classmethod
    def of(cls, shown: "SecretProperties", facts: Facts) -> "Stored":
        """A version that the vault shows.

        Raises:
            ProblemError: `remote-unavailable`, the vault left out which version it is.
        """
        if not shown.name or not shown.version:
            raise ProblemError("remote-unavailable", "Key Vault returned a secret without its id.")
        key_id = key_id_of_version(shown, facts.get("secret_version"), facts.get("secret_key_id"))
        rotation, enabled = (shown.tags or {}).get(ROTATION), shown.enabled is not False
        return cls(shown.name, shown.version, key_id, rotation, enabled, shown.created_on, shown.expires_on)


async def versions_of(vault: "SecretClient", peering: Peering, facts: Facts) -> list[Stored]:
    """The versions of a peering's secret; none if there is no such secret.

    Raises:
        ProblemError: `remote-unavailable`, the vault left out which version one is.
    """
    return [Stored.of(one, facts) for one in await versions_of_secret(vault, secret_name(peering["id"]))]


def newest_usable(versions: list[Stored], passwords: "list[PasswordCredential]", left: timedelta) -> Stored | None:
    """The newest enabled version with more than `left` until its end whose password the application still has."""
    until = datetime.now(UTC) + left
    # Entra, not the vault, decides whether a password still works.
    keys = {str(p.key_id) for p in passwords if p.end_date_time is None or p.end_date_time > until}
    usable = [v for v in versions if v.enabled and v.expires and v.expires > until]
    known = [v for v in usable if v.key_id in keys]
    return max(known, key=lambda v: v.created or datetime.min.replace(tzinfo=UTC), default=None)


def key_in_use(
    versions: list[Stored],
    passwords: "list[PasswordCredential]",
    facts: Facts,
    made: list[Stored],
) -> str | None:
    """The key id of the password that the peering signs in with: the one that its runs recorded, not the vault.

    Only if that one is deleted, the newest other stored one is used.
    """
    noted = next((v for v in versions if v.version == facts.get("secret_version")), None)
    keys = (facts.get("secret_key_id"), noted.key_id if noted else None)
    if (known := next((str(p.key_id) for p in passwords if str(p.key_id) in keys), None)) is not None:
        return known
    newest = newest_usable([v for v in versions if v not in made], passwords, timedelta())
    return newest.key_id if newest else None


async def own_passwords(client: "GraphServiceClient", peering: Peering, object_id: str) -> "list[PasswordCredential]":
    """The passwords of an application that this app has made for a peering.

    Raises:
        ProblemError: `remote-unavailable`, Graph left them out, or their ids.
    """
    held = await _all_passwords(client, object_id)
    return [p for p in held if is_name_of_password(p.display_name or "", peering["id"])]


async def _all_passwords(client: "GraphServiceClient", object_id: str) -> "list[PasswordCredential]":
    """The passwords of an application.

    Raises:
        ProblemError: `remote-unavailable`, Graph left them out, or their ids: then they do not count as removed.
    """
    application = await client.applications.by_application_id(object_id).get()
    held = application.password_credentials if application is not None else None
    if held is None or any(password.key_id is None for password in held):
        raise ProblemError("remote-unavailable", "Graph returned an application without its passwords or their ids.")
    return held


def password_name(peering: Peering, facts: Facts) -> str:
    """What Entra shows for a password that this call makes; a second delivery of the call uses the same name."""
    return f"{secret_name(peering['id'])} {facts['call']}"


async def remove_all_but_twins(
    client: "GraphServiceClient", peering: Peering, facts: Facts, passwords: "list[PasswordCredential]"
) -> None:
    """Remove passwords, except those of another running delivery of this call: its result may be the one that counts.

    A later check removes what that one has created.
    """
    name, since = password_name(peering, facts), registry().now - FUNCTION_TIMEOUT
    going = [p for p in passwords if p.display_name != name or (p.start_date_time or since) <= since]
    await remove_passwords(client, needed(facts["application_object_id"]), going)
    if len(going) < len(passwords):
        await look_later(peering)


async def look_later(peering: Peering) -> None:
    """Let a later check search for unrecorded credentials."""
    await note_lost(Lost(id=peering["id"], at=registry().now.isoformat()))


async def new_password(
    client: "GraphServiceClient", vault: "SecretClient", peering: Peering, facts: Facts, rotation: str
) -> "tuple[Stored, list[PasswordCredential]]":
    """Create and store a password; returns it, and all passwords of the application after its creation.

    Of two deliveries of this call, the second one to create a password thus sees the other one's.
    """
    password = await _make_password(client, peering, facts)
    storing = asyncio.ensure_future(_kept_or_removed(client, vault, peering, facts, password, rotation))
    listing = asyncio.ensure_future(own_passwords(client, peering, needed(facts["application_object_id"])))
    # Await both, so that neither continues after this call has ended.
    await asyncio.gather(storing, listing, return_exceptions=True)
    return storing.result(), listing.result()


async def _kept_or_removed(
    client: "GraphServiceClient",
    vault: "SecretClient",
    peering: Peering,
    facts: Facts,
    password: "PasswordCredential",
    rotation: str,
) -> Stored:
    """Store a new password; one that the vault refuses is removed immediately."""
    from azure.core.exceptions import HttpResponseError

    try:
        return await _store(vault, peering, password, rotation)
    except HttpResponseError as error:
        # A refused password is not stored; if the response is lost, it may be.
        if error.status_code in _REFUSALS:
            await remove_passwords(client, needed(facts["application_object_id"]), [password])
        raise
    except ProblemError as error:
        # The order has changed before anything was stored: only this call knows the password.
        if error.occurrence["code"] == "run-superseded":
            await _remove_unstored(client, peering, facts, password)
        raise


async def _remove_unstored(
    client: "GraphServiceClient", peering: Peering, facts: Facts, password: "PasswordCredential"
) -> None:
    """Remove a password that was never stored, though the order has changed; if that fails, a later check does it."""
    try:
        with outside_the_fence():
            await remove_passwords(client, needed(facts["application_object_id"]), [password])
    except BaseException:
        await look_later(peering)
        raise


async def _make_password(client: "GraphServiceClient", peering: Peering, facts: Facts) -> "PasswordCredential":
    from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
        AddPasswordPostRequestBody,
    )
    from msgraph.generated.models.password_credential import PasswordCredential

    expires = (datetime.now(UTC) + timedelta(days=peering["secret_lifetime_days"])).replace(microsecond=0)
    wanted = PasswordCredential(display_name=password_name(peering, facts), end_date_time=expires)
    made = await client.applications.by_application_id(needed(facts["application_object_id"])).add_password.post(
        AddPasswordPostRequestBody(password_credential=wanted)
    )
    remember(made.secret_text if made is not None else None)
    if made is None or made.secret_text is None or made.key_id is None:
        raise ProblemError("remote-unavailable", "Graph created a password without returning it, or its id.")
    made.end_date_time = expires
    return made


async def _store(vault: "SecretClient", peering: Peering, password: "PasswordCredential", rotation: str) -> Stored:
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
            async with timeout(DELETION_SECONDS):
                await or_none(vault.recover_deleted_secret(name))
        raise
    # The stored properties are known, whatever the response leaves out.
    shown = Stored.of(secret.properties, {})
    stored = replace(shown, key_id=key_id, rotation=rotation, expires=password.end_date_time)
    keep_password(name, stored.version, value)
    return stored


async def remove_passwords(client: "GraphServiceClient", object_id: str, passwords: "list[PasswordCredential]") -> None:
    """Remove passwords from an application; one that is gone already is ignored."""
    from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
        RemovePasswordPostRequestBody,
    )
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    application = client.applications.by_application_id(object_id)
    for password in passwords:
        try:
            await application.remove_password.post(RemovePasswordPostRequestBody(key_id=password.key_id))
        except ODataError:
            # The second of two calls that remove the same one gets a refusal.
            if password.key_id in {p.key_id for p in await _all_passwords(client, object_id)}:
                raise


async def disable(vault: "SecretClient", version: Stored) -> None:
    """Disable a version of the secret; it can be enabled again."""
    await vault.update_secret_properties(version.name, version.version, enabled=False)
