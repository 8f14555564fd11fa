"""Events: each one changes what it says, and one that names what is not there is refused."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from local.cloud.events import EVENTS, holds
from local.cloud.world.population import Established
from local.cloud.world.world import NETWORK_CONTRIBUTOR, PLATFORM_APP
from tests.cloud.callers import Callers


@dataclass
class Look:
    """What a test looks at after an event: the cloud, the peering that was established, and the state."""

    cloud: Callers
    made: Established
    state: dict[str, Any]

    def side(self, vnet_id: str) -> dict[str, Any]:
        """The side of a peering that hangs on a VNet."""
        return next(dict(p) for p in self.state["virtualNetworkPeerings"] if p["id"].startswith(f"{vnet_id}/"))

    @property
    def ours(self) -> dict[str, Any]:
        """The customer's side."""
        return self.side(self.cloud.vnet.id)

    @property
    def theirs(self) -> dict[str, Any]:
        """The platform's side."""
        return self.side(self.cloud.vpc.network.id)

    @property
    def networks(self) -> list[str]:
        """The names of all VNets."""
        return [vnet["id"].rpartition("/")[2] for vnet in self.state["virtualNetworks"]]

    @property
    def connection(self) -> dict[str, Any]:
        """The only connection."""
        (found,) = self.state["peeringConnections"]
        return dict(found)

    @property
    def application(self) -> dict[str, Any]:
        """The application of the peering."""
        return next(dict(a) for a in self.state["applications"] if a["appId"] == self.made.application_id)

    @property
    def password_days(self) -> float:
        """How many days the application's password has left."""
        found = self.cloud.cloud.world.application(self.made.application_id)
        assert found
        return (found.passwords[0].ends - self.cloud.cloud.world.now) / timedelta(days=1)

    @property
    def scopes(self) -> list[str]:
        """Where the application has roles."""
        held = (a["properties"] for a in self.state["roleAssignments"])
        return [a["scope"] for a in held if a["principalId"] == self.made.user_principal_id]

    @property
    def has_principal(self) -> bool:
        """Whether the application has its service principal."""
        return any(p["id"] == self.made.user_principal_id for p in self.state["servicePrincipals"])

    @property
    def disabled(self) -> list[str]:
        """The applications whose service principals are disabled."""
        return [p["appId"] for p in self.state["servicePrincipals"] if not p["accountEnabled"]]

    @property
    def secret(self) -> dict[str, Any]:
        """The newest version of the secret."""
        return dict(self.state["secrets"][0]["versions"][-1])

    @property
    def refusal_of_a_peering(self) -> str:
        """The code with which Azure refuses a further peering of the VNet."""
        kind = "add-vnet-peering-to-overlapping-network"
        answer = self.cloud.event(kind, vnet_id=self.cloud.vnet.id, prefixes=["10.50.0.0/16"])
        return next(iter(re.findall(r"'code': '(\w+)'", answer.text)), "")

    @property
    def granted(self) -> list[list[str]]:
        """What each custom role grants."""
        return [role["properties"]["permissions"][0]["actions"] for role in self.state["roleDefinitions"]]


def given_of(cloud: Callers, made: Established) -> dict[str, dict[str, Any]]:
    """Every id that an event can name."""
    tenant = cloud.cloud.landscape.customer_tenant
    return {
        "vnet": {"vnet_id": cloud.vnet.id},
        "pair": {"vnet_id": cloud.vnet.id, "remote_id": cloud.vpc.network.id},
        "connection": {"project_vpc_id": cloud.vpc.id, "vnet_id": cloud.vnet.id},
        "vpc": {"project_vpc_id": cloud.vpc.id},
        "user": {"principal_id": made.user_principal_id},
        "application": {"app_id": made.application_id},
        "principal": {"app_id": made.application_id, "tenant_id": tenant},
        "platform": {"app_id": PLATFORM_APP, "tenant_id": tenant},
        "role": {"name": made.platform_role_id.rpartition("/")[2]},
        "secret": {"name": made.secret_name},
        "vault": {"name": cloud.cloud.landscape.vault},
        "nothing": {},
    }


Case = tuple[str, str, dict[str, Any], Callable[[Look], object], object]
_ELSEWHERE: Final = "/subscriptions/1/resourceGroups/other"
CASES: Final[list[Case]] = [
    ("delete-vnet-peering", "pair", {}, lambda look: look.theirs["peeringState"], "Disconnected"),
    ("delete-vnet-peering", "pair", {}, lambda look: look.connection["state"], "DELETED_BY_PEER"),
    ("fail-vnet-peering", "pair", {}, lambda look: look.ours["provisioningState"], "Failed"),
    ("set-vnet-peering-options", "pair", {"options": {"allowForwardedTraffic": True}},
     lambda look: look.ours["options"]["allowForwardedTraffic"], True),
    ("change-address-space", "vnet", {"prefixes": ["10.99.0.0/24"]},
     lambda look: look.ours["peeringSyncLevel"], "RemoteNotInSync"),
    ("delete-vnet", "vnet", {}, lambda look: "Hub-VNet" in look.networks, False),
    ("rename-vnet", "vnet", {"name": "New-VNet"}, lambda look: "New-VNet" in look.networks, True),
    ("set-vnet-provisioning-state", "vnet", {"state": "Failed"},
     lambda look: look.state["virtualNetworks"][0]["provisioningState"], "Failed"),
    ("add-vnet-peering-to-overlapping-network", "vnet", {"prefixes": ["10.50.0.0/16"]},
     lambda look: [p["peeringState"] for p in look.state["virtualNetworkPeerings"]], ["Connected"] * 4),
    ("occupy-vnet", "vnet", {"seconds": 60},
     lambda look: (look.state["virtualNetworks"][0]["provisioningState"], look.refusal_of_a_peering),
     ("Succeeded", "ReferencedResourceNotProvisioned")),
    ("close-vault", "vault", {}, lambda look: look.cloud.vault("GET", "/secrets").json()["error"]["innererror"]["code"],
     "ForbiddenByFirewall"),
    ("open-vault", "vault", {}, lambda look: look.cloud.vault("GET", "/secrets").status_code, 200),
    ("remove-role-assignments", "user", {}, lambda look: look.scopes, []),
    ("move-role-assignment", "user", {"scope": _ELSEWHERE}, lambda look: look.scopes, [_ELSEWHERE]),
    ("assign-role", "user", {"scope": _ELSEWHERE, "role": NETWORK_CONTRIBUTOR},
     lambda look: _ELSEWHERE in look.scopes, True),
    ("change-role-definition", "role", {"actions": ["*/read"]}, lambda look: ["*/read"] in look.granted, True),
    ("disable-service-principal", "platform", {}, lambda look: look.disabled, [PLATFORM_APP]),
    ("enable-service-principal", "platform", {"enabled": False}, lambda look: look.disabled, [PLATFORM_APP]),
    ("enable-service-principal", "user", {"enabled": False}, lambda look: len(look.disabled), 1),
    ("delete-service-principal", "principal", {}, lambda look: look.has_principal, False),
    ("delete-application", "application", {}, lambda look: look.has_principal, False),
    ("delete-application", "application", {}, lambda look: len(look.scopes), 1),
    ("set-sign-in-audience", "application", {"audience": "AzureADMyOrg"},
     lambda look: look.application["signInAudience"], "AzureADMyOrg"),
    ("expire-passwords", "application", {}, lambda look: round(look.password_days), -1),
    ("set-password-end", "application", {"days": 5}, lambda look: round(look.password_days), 5),
    ("remove-passwords", "application", {}, lambda look: look.application["passwordCredentials"], []),
    ("delete-secret", "secret", {}, lambda look: look.state["secrets"], []),
    ("disable-secret", "secret", {}, lambda look: look.secret["enabled"], False),
    ("set-secret-expiry", "secret", {"days": -1},
     lambda look: look.secret["expires"] < look.cloud.cloud.world.now.timestamp(), True),
    ("disconnect", "connection", {}, lambda look: look.ours["peeringState"], "Disconnected"),
    ("disconnect", "connection", {}, lambda look: look.connection["state"], "ACTIVE"),
    ("delete-connection", "connection", {}, lambda look: look.state["peeringConnections"], []),
    ("delete-connection", "connection", {}, lambda look: look.ours["peeringState"], "Disconnected"),
    ("set-connection-state", "connection", {"state": "ERROR"}, lambda look: look.connection["state"], "ERROR"),
    ("set-connection-state", "nothing", {"vnet": "Hub-VNet", "state": "ERROR"},
     lambda look: look.connection["state"], "ERROR"),
    ("set-connection-application", "connection", {"app_id": "another"},
     lambda look: look.connection["peer_azure_app_id"], "another"),
    ("set-project-vpc-state", "vpc", {"state": "DELETING"},
     lambda look: look.state["projectVpcs"][0]["state"], "DELETING"),
    ("delete-project-vpc", "vpc", {}, lambda look: look.state["projectVpcs"], []),
    ("delete-project-vpc", "vpc", {}, lambda look: look.ours["peeringState"], "Disconnected"),
    ("change-project-cidr", "vpc", {"cidr": "10.241.0.0/20"},
     lambda look: look.ours["peeringSyncLevel"], "LocalNotInSync"),
]  # fmt: skip


def test_every_event_has_a_case() -> None:
    # What holds Azure back has tests of its own.
    elsewhere = {"restore-application", "revoke-tokens"}
    elsewhere |= {kind for kind, event in EVENTS.items() if event.__module__ == holds.__name__}
    assert {case[0] for case in CASES} | elsewhere == set(EVENTS)


@pytest.mark.parametrize(("kind", "named", "more", "see", "expected"), CASES)
def test_an_event_happens(
    cloud: Callers, kind: str, named: str, more: dict[str, Any], see: Callable[[Look], object], expected: object
) -> None:
    made = cloud.establish()
    cloud.happen(kind, **given_of(cloud, made)[named], **more)
    assert see(Look(cloud, made, cloud.state())) == expected


def test_a_deleted_application_is_restored_with_its_principal(cloud: Callers) -> None:
    made = cloud.establish()
    cloud.happen("delete-application", app_id=made.application_id)
    cloud.happen("restore-application", app_id=made.application_id)
    look = Look(cloud, made, cloud.state())
    assert look.has_principal
    assert look.application["id"] == made.application_object_id


def test_a_token_from_before_is_not_taken_any_more(cloud: Callers) -> None:
    assert cloud.arm("GET", cloud.vnet.id).status_code == 200
    cloud.happen("revoke-tokens", principal_id=cloud.cloud.landscape.automation.id)
    answer = cloud.arm("GET", cloud.vnet.id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_what_is_not_there_is_refused(cloud: Callers, kind: str) -> None:
    unknown: dict[str, object] = {
        "vnet_id": "/subscriptions/1/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet",
        "remote_id": "another",
        "principal_id": "nobody",
        "project_vpc_id": "none",
        "app_id": "none",
        "tenant_id": "none",
        "name": "none",
        "state": "Failed" if "vnet" in kind else "ACTIVE",
        "prefixes": ["10.0.0.0/24"],
        "options": {},
        "actions": [],
        "audience": "AzureADMyOrg",
        "days": 1,
        "scope": "/subscriptions/1",
        "cidr": "10.0.0.0/24",
        "seconds": 1,
    }
    code = EVENTS[kind].__code__
    names = code.co_varnames[1 : code.co_argcount]
    answer = cloud.event(kind, **{name: value for name, value in unknown.items() if name in names})
    assert (answer.status_code, answer.json()["message"].partition(":")[0]) == (400, kind)


def test_a_wrong_field_or_kind_is_refused(cloud: Callers) -> None:
    assert cloud.event("delete-vnet", vnet="x").status_code == 400
    answer = cloud.event("nothing-of-the-kind")
    assert "there is no event" in answer.json()["message"]
    wrong = cloud.event("change-address-space", vnet_id=cloud.vnet.id, prefixes=["10.0.0.1/24"])
    assert "host bits" in wrong.json()["message"]


def test_writes_are_what_changes_something_and_the_log_can_be_emptied(cloud: Callers) -> None:
    cloud.arm("GET", cloud.vnet.id)
    cloud.graph("POST", "/directoryObjects/getByIds", {"ids": []})
    assert cloud.admin("GET", "/writes").json() == []
    cloud.arm("DELETE", f"{cloud.vnet.id}/virtualNetworkPeerings/none")
    (write,) = cloud.admin("GET", "/writes").json()
    assert (write["method"], write["service"]) == ("DELETE", "arm")
    assert cloud.admin("DELETE", "/requests").status_code == 200
    assert cloud.admin("GET", "/requests").json() == []
