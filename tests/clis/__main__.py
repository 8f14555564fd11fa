"""Does the article by hand and by the app, each in a cloud of its own, and compares what they leave behind.

Also asks the app for the pair that was made by hand: it has to report it as existing and to change nothing. Beside it,
the app connects another VNet and removes that peering again: the one that was made by hand has to be as it was.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, cast

import httpx
from rich.console import Console
from rich.table import Table

from local.demo import peering_request
from local.deployment import AT_WORK
from local.processes import app_settings, local_app, local_cloud
from tests.clis.article import by_hand, install_clis
from tests.clis.organization import by_avn

#: What may differ: names that people choose, and the tighter role that the app gives the application.
EXPECTED: Final = {
    "application displayName",
    "application uniqueName",
    "application tags",
    "application password name",
    "service principal tags",
    "role of the application",
    "role names",
    "peering name",
    "secrets in the vault",
}

State = dict[str, Any]


def state_of(cloud: dict[str, str]) -> State:
    """Everything that a cloud holds."""
    return cast(
        "State", httpx.get(f"{cloud['LOCAL_CLOUD_ADMIN_URL']}/state", trust_env=False).raise_for_status().json()
    )


def by_app(cloud: dict[str, str], directory: Path, vnet: str | None = None, *, remove: bool = False) -> str:
    """Ask the app for the peering of a VNet, by default the first, and maybe to remove it; returns the last state."""
    request = peering_request({**cloud, "VNET_NAME": vnet or cloud["VNET_NAME"]})
    with local_app(directory, app_settings(cloud)) as app, app.client() as client:
        url = client.post("/api/peerings", json=request).raise_for_status().headers["Location"]
        state = _at_rest(client, url)
        if remove and state == "connected":
            client.delete(url).raise_for_status()
            state = _at_rest(client, url)
    return state


def _at_rest(client: httpx.Client, url: str) -> str:
    while (status := client.get(url).json())["state"] in AT_WORK:
        time.sleep(0.2)
    return str(status["state"])


def left_behind(state: State, cloud: dict[str, str]) -> dict[str, object]:
    """What a peering consists of, without the ids that differ from cloud to cloud."""
    (connection,) = state["peeringConnections"]
    (application,) = (a for a in state["applications"] if a["appId"] == connection["peer_azure_app_id"])
    principals = {p["id"]: p for p in state["servicePrincipals"] if p["tenantId"] == cloud["AZURE_TENANT_ID"]}
    customs = {r["name"]: r["properties"] for r in state["roleDefinitions"]}
    rights = {}
    for assignment in (a["properties"] for a in state["roleAssignments"]):
        if assignment["scope"].endswith(f"/{cloud['VNET_NAME']}"):
            whose = (
                "application" if principals[assignment["principalId"]]["appId"] == application["appId"] else "platform"
            )
            role = assignment["roleDefinitionId"].rpartition("/")[2]
            rights[whose] = customs[role]["permissions"][0]["actions"] if role in customs else role
    sides = [p for p in state["virtualNetworkPeerings"] if cloud["VNET_NAME"] in p["id"].split("/")]
    return {
        "applications": 1,
        "application displayName": application["displayName"],
        "application uniqueName": application["uniqueName"],
        "application tags": application["tags"],
        "application signInAudience": application["signInAudience"],
        "application passwords": len(application["passwordCredentials"]),
        "application password name": [p["displayName"] for p in application["passwordCredentials"]],
        "service principals": sorted(p["appId"] == application["appId"] for p in principals.values()),
        "service principal tags": sorted(tag for p in principals.values() for tag in p["tags"]),
        "role of the application": rights["application"],
        "role of the platform": rights["platform"],
        "role names": sorted(r["roleName"] for r in customs.values()),
        "assignments on the VNet": len(rights),
        "peerings on the VNet": len(sides),
        "peering name": sides[0]["id"].rpartition("/")[2],
        "peering state": (sides[0]["peeringState"], sides[0]["peeringSyncLevel"]),
        **{f"peering {option}": value for option, value in sides[0]["options"].items()},
        "connection state": connection["state"],
        "connection names": (connection["peer_resource_group"], connection["peer_vpc"]),
        "connection CIDRs": connection["user_peer_network_cidrs"],
        "secrets in the vault": len(state["secrets"]),
    }


def main() -> int:
    """Run both, print the comparison; the exit status is 0 when only what may differ does."""
    console, directory = Console(width=180), Path(tempfile.mkdtemp())
    install_clis()
    with local_cloud(directory / "hand", "quick") as cloud:
        by_hand(cloud, directory / "transcript.txt")
        before = state_of(cloud)
        recognised = by_app(cloud, directory / "hand-app")
        unchanged = state_of(cloud) == before
        beside = by_app(cloud, directory / "beside-app", "Spoke-001", remove=True)
        survived = state_of(cloud) == before
        hand = left_behind(before, cloud)
    with local_cloud(directory / "app", "quick") as cloud:
        ended = by_app(cloud, directory / "app-app")
        app = left_behind(state_of(cloud), cloud)
    console.print((directory / "transcript.txt").read_text(), markup=False, highlight=False)
    table = Table("", "by hand", "by the app", "", title="What is left behind")
    for name, value in hand.items():
        verdict = "same" if value == app[name] else "expected" if name in EXPECTED else "DIFFERENT"
        table.add_row(name, str(value), str(app[name]), verdict)
    console.print(table)
    console.print(f"The app's own run: {ended}. Asked for the pair made by hand: {recognised}, unchanged: {unchanged}.")
    console.print(f"A peering of the app's beside the one made by hand: {beside}, that one as it was: {survived}.")
    different = [name for name, value in hand.items() if value != app[name] and name not in EXPECTED]
    as_expected = (recognised, unchanged, ended, beside, survived) == ("existing", True, "connected", "removed", True)
    shared = by_avn(console)
    return 0 if not different and as_expected and shared else 1


if __name__ == "__main__":
    sys.exit(main())
