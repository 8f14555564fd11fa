"""The federated credential of a created application: it trusts the app's own managed identity (step 4)."""

from typing import TYPE_CHECKING

from clients.reads import Document, list_graph
from clients.settings import settings
from peering.facts import Facts
from peering.naming import federated_credential_name
from peering.spec import Peering

if TYPE_CHECKING:
    from msgraph.graph_service_client import GraphServiceClient


def is_federated(peering: Peering, facts: Facts) -> bool:
    """Whether the peering's application signs in, or will, with a federated credential."""
    return facts.get("credential", peering["credential"]) == "federated"


async def add_federated(client: "GraphServiceClient", peering: Peering, facts: Facts, object_id: str) -> None:
    """Let the application take tokens of the app's own managed identity (Entra, "trust a managed identity")."""
    from msgraph.generated.models.federated_identity_credential import FederatedIdentityCredential

    settings().check_credential("federated")
    name, cloud = federated_credential_name(peering["id"]), settings().cloud
    held = client.applications.by_application_id(object_id).federated_identity_credentials
    issuer, subject = (
        f"{cloud.authority}/{facts['automation_tenant_id']}/v2.0",
        facts["automation_object_id"],
    )
    for credential in await own_federated(client, peering, object_id):
        if (credential.get("issuer"), credential.get("subject")) == (issuer, subject):
            return
        await held.by_federated_identity_credential_id(credential["id"]).delete()
    await held.post(
        FederatedIdentityCredential(name=name, issuer=issuer, subject=subject, audiences=[cloud.token_exchange])
    )


async def own_federated(client: "GraphServiceClient", peering: Peering, object_id: str) -> list[Document]:
    """This peering's federated credentials of an application.

    Raises:
        RemoteError: Graph refused, or left out a part: then they are not known to be absent.
    """
    path, name = f"applications/{object_id}/federatedIdentityCredentials", federated_credential_name(peering["id"])
    listed = await list_graph(client, path, {"$select": "id,name,issuer,subject"}, "id", "name")
    return [one for one in listed if one["name"] == name]


async def remove_federated(client: "GraphServiceClient", peering: Peering, object_id: str) -> None:
    """Remove this peering's federated credentials from an application; one that is gone already is ignored."""
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    held = client.applications.by_application_id(object_id).federated_identity_credentials
    for credential in await own_federated(client, peering, object_id):
        try:
            await held.by_federated_identity_credential_id(credential["id"]).delete()
        except ODataError:
            # The second of two calls that remove the same one gets a refusal.
            if credential["id"] in {one["id"] for one in await own_federated(client, peering, object_id)}:
                raise
