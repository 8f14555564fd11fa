"""Starts that stay Pending and never begin: the engine has an instance's row, but its message is lost."""

import uuid
from datetime import datetime

from azure.data.tables import TableServiceClient


def stand_pending(storage: str, hub: str, name: str, identity: str, now: datetime) -> None:
    """Write the row of an instance that is never started.

    Args:
        storage: the connection string of the task hub's account.
        hub: the task hub's name.
        name: the orchestrator's.
        identity: the instance's id.
        now: when it was started.
    """
    row = {
        "PartitionKey": identity,
        "RowKey": "",
        "Name": name,
        "Version": "",
        "Input": "null",
        "ExecutionId": uuid.uuid4().hex,
        "RuntimeStatus": "Pending",
        "TaskHubName": hub,
        "CreatedTime": now,
        "LastUpdatedTime": now,
    }
    with TableServiceClient.from_connection_string(storage) as tables:
        tables.get_table_client(f"{hub}Instances").upsert_entity(row)
