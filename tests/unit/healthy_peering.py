"""A peering, the facts of its record, and a look at it that finds nothing wrong."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from peering.facts import Facts
from peering.request import PeeringRequest
from peering.rights import PLATFORM_ACTIONS, USER_ACTIONS
from tests.unit.good_request import GOOD

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PEERING = PeeringRequest.model_validate(GOOD, strict=False).peering()
VNET = PEERING["vnet_id"]
NETWORK = VNET.replace("Hub-VNet", "project-vpc")
ROLES = "/providers/Microsoft.Authorization/roleDefinitions"
FACTS: Facts = {
    "application_id": "app",
    "tenant_id": "tenant",
    "vnet_id": VNET,
    "to_network_id": NETWORK,
    "vnet_peering_id": f"{VNET}/virtualNetworkPeerings/p",
    "user_principal_id": "user",
    "user_role_id": f"{ROLES}/user-role",
    "platform_role_id": f"{ROLES}/platform-role",
    "user_rights": "standing",
    "credential": "secret",
    "secret_name": "s",
}


def _role(name: str, actions: Sequence[str]) -> dict[str, Any]:
    return {"name": name, "actions": list(actions), "data_actions": [], "takes_away": False, "scopes": []}


SUBSCRIPTION, GROUP = VNET.split("/")[2], VNET.split("/")[4]
HEALTHY: dict[str, Any] = {
    "project_vpc": {
        "found": {
            "cloud_name": "azure-x",
            "network_cidr": "10.240.0.0/20",
            "state": "ACTIVE",
            "connections": [
                {
                    "account": SUBSCRIPTION,
                    "resource_group": GROUP.lower(),
                    "vnet": "hub-vnet",
                    "application_id": "app",
                    "tenant_id": "tenant",
                    "state": "ACTIVE",
                    "message": None,
                }
            ],
        }
    },
    "vnet": {
        "found": {
            "vnet_id": VNET,
            "provisioning_state": "Succeeded",
            "address_prefixes": ["10.0.0.0/16"],
            "peered_networks": [
                {
                    "id": f"{VNET}/virtualNetworkPeerings/p",
                    "name": "p",
                    "remote_id": NETWORK.upper(),
                    "state": "Connected",
                    "sync_level": "FullyInSync",
                    "provisioning_state": "Succeeded",
                    "options": {
                        "allow_virtual_network_access": True,
                        "allow_forwarded_traffic": False,
                        "allow_gateway_transit": False,
                        "use_remote_gateways": False,
                    },
                    "prefixes": ["10.240.0.0/20"],
                }
            ],
        }
    },
    "access": {
        "found": {
            "elsewhere": [],
            "assignments": [
                {"id": "1", "scope": VNET, "role": "user-role", "principal_id": "user"},
                {"id": "2", "scope": VNET, "role": "platform-role", "principal_id": "platform"},
            ],
            "roles": {
                "user-role": {
                    "name": "u",
                    "actions": list(USER_ACTIONS),
                    "data_actions": [],
                    "takes_away": False,
                    "scopes": [],
                },
                "platform-role": {
                    "name": "p",
                    "actions": list(PLATFORM_ACTIONS),
                    "data_actions": [],
                    "takes_away": False,
                    "scopes": [],
                },
            },
        }
    },
    "application": {
        "found": {
            "application_id": "app",
            "object_id": "o",
            "name": "a",
            "unique_name": "n",
            "audience": "AzureADMultipleOrgs",
            "passwords": {"key": None},
            "password_names": [""],
            "federated": [],
        }
    },
    "user_principal": {"found": {"id": "user", "application_id": "app", "enabled": True, "marked": True}},
    "platform_principal": {"found": {"id": "platform", "application_id": "p", "enabled": True, "marked": True}},
    "secret": {
        "found": {"enabled": True, "created": None, "expires": (NOW + timedelta(days=90)).isoformat(), "key_id": "key"}
    },
}
