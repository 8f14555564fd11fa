"""The app's own identity and its rights in Azure, Graph and Aiven: read, never tested by a change."""

from typing import Final

from activities.looks.ahead import ahead
from activities.looks.token_claims import token_claims, token_roles
from clients.aiven_vpcs import vpc_client
from clients.azure import graph
from clients.credentials import automation_credential
from clients.reads import Document, list_arm, list_graph
from clients.remote_errors import RemoteError, or_none
from clients.settings import settings
from peering.aiven_vpc import AivenVpc
from peering.naming import VNetId
from peering.outcome import Occurrence
from peering.rights import Granted

#: Graph's permissions to write applications (Microsoft Graph permissions reference): all, or only owned ones.
MAY_WRITE_ALL: Final = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All"})
_MAY_WRITE_OWN: Final = MAY_WRITE_ALL | {"Application.ReadWrite.OwnedBy"}
#: Azure's answers to an identity that may not read in a subscription.
_NOT_FOR_US: Final = (403, 404)


async def identity() -> tuple[str, str]:
    """The tenant and the object id of the app's own identity, by its token.

    Raises:
        RemoteError: the sign-in was refused, or there was no response.
    """
    token = await automation_credential().get_token(settings().cloud.resource_manager_scope)
    claims = token_claims(token.token)
    return claims["tid"], claims["oid"]


async def permissions_on_vnet(vnet_id: str) -> list[Granted]:
    """What the app's own identity may do on a VNet.

    Args:
        vnet_id: the VNet's ARM id.

    Raises:
        RemoteError: Azure refused, did not answer, or left out a part.
    """
    return await _permissions(VNetId.parse(vnet_id).subscription_id, vnet_id)


async def permissions_in_subscription(subscription_id: str) -> list[Granted] | None:
    """What the app's own identity may do in a whole subscription; None if Azure does not let it read that.

    Args:
        subscription_id: the subscription's id.

    Raises:
        RemoteError: Azure did not answer, or left out a part.
    """
    try:
        return await _permissions(subscription_id, f"/subscriptions/{subscription_id}")
    except RemoteError as error:
        if not error.answer.refuses(*_NOT_FOR_US):
            raise
        return None


async def _permissions(subscription_id: str, scope: str) -> list[Granted]:
    listed = await permissions_at(subscription_id, scope)
    return [Granted(one["actions"], one.get("notActions") or []) for one in listed]


async def permissions_at(subscription_id: str, scope: str) -> list[Document]:
    """The permissions of the app's own identity at a scope, as Azure lists them.

    Args:
        subscription_id: the scope's subscription.
        scope: its ARM id.

    Raises:
        RemoteError: Azure refused, did not answer, or left out a part.
    """
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    return await list_arm(subscription_id, path, "2022-04-01", "actions")


async def graph_permissions() -> set[str]:
    """The app's Graph permissions according to its token; empty for a token without any, such as a user's.

    Raises:
        RemoteError: the sign-in was refused, or there was no response.
    """
    token = await automation_credential().get_token(settings().cloud.graph_scope, enable_cae=True)
    return token_roles(token.token)


def lacking_for_applications(held: set[str], what: str) -> list[Occurrence]:
    """The problem with permissions that do not let the app write applications; none if the token says nothing.

    Args:
        held: the app's Graph permissions.
        what: what it would do with an application, such as `make`.
    """
    if not held or held & _MAY_WRITE_OWN:
        return []
    detail = f"The app's identity has {', '.join(sorted(held))}, none of which lets it {what} an application."
    return [Occurrence(code="automation-graph-permission-missing", detail=detail)]


async def lacking_ownership(held: set[str], application_id: str, me: str) -> list[Occurrence]:
    """The problem with an application that another identity created; none if the token says nothing, or it is gone.

    Args:
        held: the app's Graph permissions.
        application_id: the application that it would change.
        me: the object id of the app's own identity.

    Raises:
        ODataError: Graph refused, or did not answer.
    """
    if not held or held & MAY_WRITE_ALL or await _owns(application_id, me):
        return []
    detail = f"{', '.join(sorted(held))} does not let the app change {application_id}, which {me} does not own."
    return [Occurrence(code="automation-graph-permission-missing", detail=detail)]


async def _owns(application_id: str, me: str) -> bool:
    async with graph() as client:
        application = await or_none(client.applications_with_app_id(application_id).get())
        if application is None or application.id is None:
            return True
        owners = await list_graph(client, f"applications/{application.id}/owners", {"$select": "id"}, "id")
    return any(owner["id"] == me for owner in owners)


async def lacking_in_aiven(vpc: AivenVpc) -> str | None:
    """Why the Aiven token's user may not change connections of a VPC, if Aiven says it.

    Args:
        vpc: which one.

    Raises:
        RemoteError: Aiven refused, or did not answer.
    """
    return await vpc_client(vpc).lacking_right()


async def rights_in_aiven(vpc: AivenVpc, *, of_now: bool = False) -> list[Occurrence]:
    """The problem with a role that only reads.

    Args:
        vpc: whose connections are to be changed.
        of_now: whether to ask Aiven again instead of using a cached response.

    Raises:
        RemoteError: Aiven refused, or did not answer.
    """
    lacking = None if of_now else await ahead(lacking_in_aiven, vpc)
    if of_now or lacking is not None:
        # The operator who was told of the problem may have just fixed it.
        lacking = await vpc_client(vpc).lacking_right(of_now=True)
    return [Occurrence(code="aiven-not-permitted", detail=lacking)] if lacking is not None else []
