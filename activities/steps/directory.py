"""The steps in Entra: sign-in, the application and the service principals (article steps 1 to 3, 7 and 10)."""

from typing import TYPE_CHECKING, Final

from activities.looks.own_rights import identity
from activities.step import step
from clients.azure import graph
from clients.reads import Document, read_graph, upsert_graph
from clients.remote_errors import RemoteError, or_none
from clients.settings import settings
from peering.facts import Facts, needed
from peering.look import MULTI_TENANT
from peering.marks import MARK
from peering.naming import same_id, unique_name
from peering.outcome import ProblemError
from peering.remote_answers import read
from peering.spec import Peering
from peering.unfit import platform_principal_disabled

if TYPE_CHECKING:
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_abstractions.default_query_parameters import QueryParameters
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.service_principal import ServicePrincipal
    from msgraph.graph_service_client import GraphServiceClient

#: The required fields of an application.
_IDS: Final = ("id", "appId")


@step
async def sign_in(_peering: Peering, _facts: Facts) -> Facts:
    """Article step 1: get a token as the app's own identity, which names its object id and its tenant."""
    tenant_id, object_id = await identity()
    return {"automation_tenant_id": tenant_id, "automation_object_id": object_id}


@step
async def tenant(_peering: Peering, facts: Facts) -> Facts:
    """Article step 10: the customer's tenant is the one that the app's identity signs in to."""
    configured = settings().azure_tenant_id
    signed_in = facts["automation_tenant_id"]
    if configured is not None and not same_id(str(configured), signed_in):
        raise ProblemError(
            "subscription-in-other-tenant", f"AZURE_TENANT_ID is {configured}, the identity belongs to {signed_in}."
        )
    return {"tenant_id": signed_in}


@step
async def ownership(peering: Peering, facts: Facts) -> Facts:
    """Whether the pair has a connection already, and who owns it: this app, this app by adoption, or another owner."""
    owner = facts["found_connection_application_id"]
    # A start that found nothing to adopt has not adopted anything.
    taken_over = facts.get("existing") == "adopted" and "application_id" in facts
    if facts["found_connection_state"] is None:
        return {"existing": "adopted" if taken_over else "none"}
    if taken_over and isinstance(owner, str) and same_id(needed(facts["application_id"]), owner):
        return {"existing": "adopted"}
    async with graph() as client:
        application = await find_application(client, peering)
    if application is not None and isinstance(owner, str) and same_id(application.app_id, owner):
        return {"existing": "ours"}
    if application is None and isinstance(owner, str) and same_id(str(facts.get("application_id")), owner):
        raise ProblemError("application-missing", f"The connection belongs to {owner}, which this app created.")
    return {"existing": "adopted" if peering["adopt"] else "foreign"}


@step
async def application(peering: Peering, facts: Facts) -> Facts:
    """Article step 2: the multi-tenant application, found by its unique name or created; or the adopted one."""
    try:
        async with graph() as client:
            if facts["existing"] == "adopted":
                adopted = facts.get("application_id") or facts["found_connection_application_id"]
                found = await _adopted_application(client, str(adopted))
            else:
                found = await _own_application(client, peering, facts)
    except RemoteError as error:
        is_reserved = read(error.answer)["code"] == "application-name-reserved"
        if not is_reserved or not await _restore(unique_name(peering["id"])):
            raise
        raise ProblemError(
            "directory-replicating", "The unique name belongs to a deleted application, which is restored."
        ) from None
    named: Facts = {} if facts["existing"] == "adopted" else {"application_named": peering["application_name"]}
    return {"application_id": found["appId"], "application_object_id": found["id"], **named}


async def _own_application(client: "GraphServiceClient", peering: Peering, facts: Facts) -> Document:
    """The application of the unique name; an existing one keeps its other properties."""
    from msgraph.generated.models.application import Application

    by_name = client.applications_with_unique_name(unique_name(peering["id"]))
    if "application" in facts["found"]:
        there = await or_none(read_graph(client, by_name.to_get_request_information(), *_IDS))
        if there is not None:
            if changes := {one["option"]: one["new"] for one in facts.get("application_changes", [])}:
                name, audience = changes.get("application_name"), changes.get("sign_in_audience")
                changed = Application(display_name=name, sign_in_audience=audience)
                await client.applications.by_application_id(there["id"]).patch(changed)
            return there
    wanted = Application(display_name=peering["application_name"], sign_in_audience=MULTI_TENANT, tags=[MARK])
    upsert = by_name.to_patch_request_information(wanted, request_configuration=_create_if_missing())
    return await upsert_graph(client, upsert, by_name.to_get_request_information(), *_IDS)


async def _restore(name: str) -> bool:
    """Restore the deleted application of a unique name, which Entra reserves for 30 days; returns if one is listed."""
    async with graph() as client:
        deleted = client.directory.deleted_items
        page = await deleted.graph_application.get()
        while page is not None:
            for application in page.value or []:
                if application.unique_name == name and application.id is not None:
                    await deleted.by_directory_object_id(application.id).restore.post()
                    return True
            link = page.odata_next_link
            page = await deleted.graph_application.with_url(link).get() if link else None
    return False


async def _adopted_application(client: "GraphServiceClient", application_id: str) -> Document:
    by_id = client.applications_with_app_id(application_id)
    found = await or_none(read_graph(client, by_id.to_get_request_information(), *_IDS))
    if found is None:
        raise ProblemError("application-missing", f"This tenant has no application {application_id}.")
    return found


@step
async def user_service_principal(_: Peering, facts: Facts) -> Facts:
    """Article step 3: the application's service principal in the customer's tenant; one that exists stays as it is."""
    from msgraph.generated.models.service_principal import ServicePrincipal

    async with graph() as client:
        by_application = client.service_principals_with_app_id(needed(facts["application_id"]))
        if not _is_new(facts) and (found := await find_principal(client, needed(facts["application_id"]))):
            return {"user_principal_id": _with_id(found)}
        wanted = ServicePrincipal(tags=[MARK])
        upsert = by_application.to_patch_request_information(wanted, request_configuration=_create_if_missing())
        principal = await upsert_graph(client, upsert, by_application.to_get_request_information(), "id")
    return {"user_principal_id": principal["id"]}


def _is_new(facts: Facts) -> bool:
    """Whether the preflight of this run found that this app's application has no service principal."""
    is_looked_for = "found" in facts and not facts.get("repairing") and facts["existing"] != "adopted"
    return is_looked_for and "user_service_principal" not in facts["found"]


@step
async def platform_service_principal(_peering: Peering, _facts: Facts) -> Facts:
    """Article step 7: the service principal of the platform's application, often made by an administrator before."""
    from msgraph.generated.models.service_principal import ServicePrincipal

    platform = str(settings().platform_application_id)
    async with graph() as client:
        principal = await find_principal(client, platform)
        if principal is None:
            principal = await client.service_principals.post(ServicePrincipal(app_id=platform, tags=[MARK]))
    if principal is not None and principal.account_enabled is False:
        raise ProblemError.of([platform_principal_disabled(principal.id)])
    return {"platform_principal_id": _with_id(principal)}


async def find_application(client: "GraphServiceClient", peering: Peering) -> "Application | None":
    """The application that this app created for a peering, by its unique name.

    Raises:
        ProblemError: `remote-unavailable`, Graph left out an id of it.
    """
    return with_ids(await or_none(client.applications_with_unique_name(unique_name(peering["id"])).get()))


def with_ids(application: "Application | None") -> "Application | None":
    """An application, if Graph shows both of its ids.

    Raises:
        ProblemError: `remote-unavailable`, Graph left one out.
    """
    if application is not None and (application.id is None or application.app_id is None):
        raise ProblemError("remote-unavailable", "Graph left out an id of the application.")
    return application


async def find_principal(client: "GraphServiceClient", application_id: str) -> "ServicePrincipal | None":
    """An application's service principal in the customer's tenant, if there is one."""
    return await or_none(client.service_principals_with_app_id(application_id).get())


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
