"""The durable client binding, as the extension hands it to the SDK."""

import json
from typing import Final

from local.host.durable_api import management_urls

#: The path of Durable's management API on a host.
WEBHOOKS: Final = "runtime/webhooks/durabletask"


def client_binding(host_url: str, hub_name: str, system_key: str, rpc_base_url: str) -> str:
    """The binding as JSON.

    Args:
        host_url: where the host answers, whose management API people use.
        hub_name: the task hub.
        system_key: what the management API wants to see.
        rpc_base_url: where the SDK itself reaches the engine, without a key.
    """
    base, query = f"{host_url}/{WEBHOOKS}", f"code={system_key}"
    start = f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
    wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
    return json.dumps(
        {
            "taskHubName": hub_name,
            "creationUrls": {
                "createNewInstancePostUri": f"{start}?{query}",
                "createAndWaitOnNewInstancePostUri": f"{start}?{wait}&{query}",
            },
            "managementUrls": management_urls(base, hub_name, system_key, "INSTANCEID"),
            "baseUrl": base,
            "requiredQueryStringParameters": query,
            "rpcBaseUrl": rpc_base_url,
        }
    )
