"""The registry's rows of peerings, to be read and spoilt behind the app's back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from azure.data.tables import TableClient, TableServiceClient
from azure.identity import ClientSecretCredential

from clients.registry.rows import PEERINGS, Value
from local.deployment import Deployment


@contextmanager
def table_of(deployment: Deployment) -> Iterator[TableClient]:
    """The table of a deployment's peerings."""
    given = deployment.cloud.environment
    credential = ClientSecretCredential(
        given["AZURE_TENANT_ID"], given["AZURE_CLIENT_ID"], given["AZURE_CLIENT_SECRET"]
    )
    with TableServiceClient(given["REGISTRY_TABLE_ENDPOINT"], credential=credential) as service:
        yield service.get_table_client("peerings")


def change_row(deployment: Deployment, identity: str, columns: Mapping[str, Value]) -> dict[str, Value]:
    """Change some columns of a peering's row; returns what was in them."""
    with table_of(deployment) as table:
        before = table.get_entity(PEERINGS, identity)
        table.update_entity({"PartitionKey": PEERINGS, "RowKey": identity, **columns})
    return {name: before[name] for name in columns if name in before}
