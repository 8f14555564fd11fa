"""The tables of the registry, and their loss."""

from azure.data.tables import TableServiceClient
from azure.identity import ClientSecretCredential

from local.deployment import Deployment


def table_service(deployment: Deployment) -> TableServiceClient:
    """The Table service of the registry, as the app's identity."""
    given = deployment.cloud.environment
    identity = (given[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    return TableServiceClient(given["REGISTRY_TABLE_ENDPOINT"], credential=ClientSecretCredential(*identity))


def lose_registry(deployment: Deployment) -> None:
    """Delete the tables."""
    with table_service(deployment) as service:
        for table in list(service.list_tables()):
            service.delete_table(table.name)
