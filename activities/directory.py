"""The steps in Entra: sign-in, the application and its password, the service principals (steps 1 to 4, 7 and 10)."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from activities.step import step
from activities.token_claims import token_claims
from clients.azure import graph, secrets
from clients.credentials import automation_credential
from clients.settings import settings
from peering.naming import same_id, secret_name, unique_name
from peering.outcome import Facts, ProblemError, text
from peering.spec import Peering

if TYPE_CHECKING:
    from uuid import UUID

    from azure.keyvault.secrets import SecretProperties
    from azure.keyvault.secrets.aio import SecretClient
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_abstractions.default_query_parameters import QueryParameters
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.service_principal import ServicePrincipal
    from msgraph.graph_service_client import GraphServiceClient

#: A stored password is used again as long as it has more than this left.
_RENEW_BEFORE: Final = timedelta(days=1)
_KEY_ID: Final = "key-id"
_MARK: Final = "aiven-azure-peering"
_NOT_FOUND: Final = 404


@step()
async def sign_in(_peering: Peering, _facts: Facts) -> Facts:
    """Article step 1: get a token as the app's own identity, and with it who and where that is."""
    cloud = settings().cloud
    token = await automation_credential().get_token(cloud.resource_manager_scope)
    claims = token_claims(token.token)
    return {"automation_tenant_id": claims["tid"], "automation_object_id": claims["oid"]}


@step()
async def tenant(_peering: Peering, facts: Facts) -> Facts:
    """Article step 10: the customer's tenant is the one that the app's identity signs in to."""
    configured = settings().azure_tenant_id
    signed_in = text(facts, "automation_tenant_id")
    if configured is not None and not same_id(str(configured), signed_in):
        raise ProblemError(
            "subscription-in-other-tenant", f"AZURE_TENANT_ID is {configured}, the identity belongs to {signed_in}."
        )
    return {"tenant_id": signed_in}


@step()
async def ownership(peering: Peering, facts: Facts) -> Facts:
    """Whether the pair has a connection already, and whether this app's own application asked for it."""
    owner = facts["found_connection_application_id"]
    if facts["found_connection_state"] is None:
        return {"existing": "none"}
    async with graph() as client:
        application = await _find_application(client, peering)
    ours = application is not None and isinstance(owner, str) and same_id(application.app_id, owner)
    return {"existing": "ours" if ours else "foreign"}


@step()
async def application(peering: Peering, _: Facts) -> Facts:
    """Article step 2: the multi-tenant application, found by its unique name or created."""
    from msgraph.generated.models.application import Application

    wanted = Application(display_name=peering["application_name"], sign_in_audience="AzureADMultipleOrgs", tags=[_MARK])
    async with graph() as client:
        by_name = client.applications_with_unique_name(unique_name(peering["id"]))
        made = await by_name.patch(wanted, request_configuration=_create_if_missing())
        # Graph answers an update with 204 and no object.
        found = made or await by_name.get()
    if found is None or found.app_id is None or found.id is None:
        raise ProblemError("directory-replicating", "Graph returned the application without its ids.")
    return {"application_id": found.app_id, "application_object_id": found.id}


@step()
async def user_service_principal(_: Peering, facts: Facts) -> Facts:
    """Article step 3: the application's service principal in the customer's tenant."""
    from msgraph.generated.models.service_principal import ServicePrincipal

    async with graph() as client:
        by_application = client.service_principals_with_app_id(text(facts, "application_id"))
        made = await by_application.patch(ServicePrincipal(tags=[_MARK]), request_configuration=_create_if_missing())
        principal = made or await by_application.get()
    return {"user_principal_id": _with_id(principal)}


@step({"Authorization_RequestDenied": "platform-principal-forbidden"})
async def platform_service_principal(_peering: Peering, _facts: Facts) -> Facts:
    """Article step 7: the service principal of the platform's application, often made by an administrator before."""
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.models.service_principal import ServicePrincipal

    platform = str(settings().platform_application_id)
    async with graph() as client:
        try:
            principal = await client.service_principals_with_app_id(platform).get()
        except ODataError as error:
            if error.response_status_code != _NOT_FOUND:
                raise
            principal = await client.service_principals.post(ServicePrincipal(app_id=platform, tags=[_MARK]))
    if principal is not None and principal.account_enabled is False:
        raise ProblemError("platform-principal-disabled", f"The service principal {principal.id} is disabled.")
    return {"platform_principal_id": _with_id(principal)}


@step({"NoBackingApplicationObject": "directory-replicating"})
async def application_secret(peering: Peering, facts: Facts) -> Facts:
    """Article step 4: a password that goes straight into Key Vault; only the secret's name and version come out.

    A password that never reached the vault, because the app died in between, is found by its name and removed.
    """
    name, application_id = secret_name(peering["id"]), text(facts, "application_object_id")
    async with graph() as client, secrets() as vault:
        application = await client.applications.by_application_id(application_id).get()
        ours = [p for p in (application and application.password_credentials) or [] if p.display_name == name]
        stored = await _stored_password(vault, name)
        if stored is not None and any(str(p.key_id) == (stored.tags or {}).get(_KEY_ID) for p in ours):
            return _secret_facts(stored)
        for orphan in ours:
            if orphan.key_id is not None:
                await _remove_password(client, application_id, orphan.key_id)
        return _secret_facts(await _new_password(client, vault, peering, application_id))


def _secret_facts(stored: "SecretProperties") -> Facts:
    expires = stored.expires_on.isoformat() if stored.expires_on else None
    return {"secret_name": stored.name, "secret_version": stored.version, "secret_expires": expires}


async def _stored_password(vault: "SecretClient", name: str) -> "SecretProperties | None":
    """The newest usable version of the secret, or None."""
    from azure.core.exceptions import ResourceNotFoundError

    versions: list[SecretProperties] = []
    with suppress(ResourceNotFoundError):
        versions = [v async for v in vault.list_properties_of_secret_versions(name)]
    usable = [v for v in versions if v.enabled and v.expires_on and v.expires_on > datetime.now(UTC) + _RENEW_BEFORE]
    return max(usable, key=lambda v: v.created_on or datetime.min.replace(tzinfo=UTC), default=None)


async def _new_password(
    client: "GraphServiceClient", vault: "SecretClient", peering: Peering, application_id: str
) -> "SecretProperties":
    from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
        AddPasswordPostRequestBody,
    )
    from msgraph.generated.models.password_credential import PasswordCredential

    name = secret_name(peering["id"])
    expires = (datetime.now(UTC) + timedelta(days=peering["secret_lifetime_days"])).replace(microsecond=0)
    wanted = PasswordCredential(display_name=name, end_date_time=expires)
    made = await client.applications.by_application_id(application_id).add_password.post(
        AddPasswordPostRequestBody(password_credential=wanted)
    )
    if made is None or made.secret_text is None:
        raise ProblemError("remote-unavailable", "Graph made a password without returning it.")
    secret = await vault.set_secret(
        name,
        made.secret_text,
        expires_on=expires,
        content_type="password of an Entra application",
        tags={_KEY_ID: str(made.key_id), "peering": peering["id"]},
    )
    return secret.properties


async def _remove_password(client: "GraphServiceClient", application_id: str, key_id: "UUID") -> None:
    from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
        RemovePasswordPostRequestBody,
    )

    body = RemovePasswordPostRequestBody(key_id=key_id)
    await client.applications.by_application_id(application_id).remove_password.post(body)


async def _find_application(client: "GraphServiceClient", peering: Peering) -> "Application | None":
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    try:
        return await client.applications_with_unique_name(unique_name(peering["id"])).get()
    except ODataError as error:
        if error.response_status_code == _NOT_FOUND:
            return None
        raise


def _with_id(principal: "ServicePrincipal | None") -> str:
    if principal is None or principal.id is None:
        raise ProblemError("directory-replicating", "Graph returned the service principal without its id.")
    return principal.id


def _create_if_missing() -> "RequestConfiguration[QueryParameters]":
    """Makes a PATCH by key an upsert: 201 with the object, or 204 for one that was there (Graph, "Upsert")."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_abstractions.default_query_parameters import QueryParameters

    configuration = RequestConfiguration[QueryParameters]()
    configuration.headers.add("Prefer", "create-if-missing")
    return configuration
