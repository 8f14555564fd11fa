"""The genuine avn against what the app made in an organization VPC: it lists and deletes the app's connection.

The limits of avn are shown with the reason: it uses the paths from before May 2026. If Aiven serves only the present
ones, all commands but the list of VPCs fail.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from local.demo import peering_request
from local.deployment import AT_WORK
from local.processes import app_settings, local_app, local_cloud
from tests.clis.article import CLIS

_WHY: Final = "it asks by the paths from before May 2026, which this cloud does not serve"


def avn(cloud: Mapping[str, str], *command: str) -> tuple[int, Any]:
    """Run `avn organization vpc ...`; returns its exit status, and the JSON document that it prints, if it does."""
    environment = {**os.environ, **cloud}
    named = ("--organization-id", cloud["AIVEN_ORGANIZATION_ID"])
    done = subprocess.run(
        [str(CLIS / "bin/avn"), "organization", "vpc", *command, *named, "--json"],
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None


def peered(cloud: Mapping[str, str], client: httpx.Client) -> str:
    """Have the app peer the first VNet with the organization's VPC; returns the state that it comes to."""
    names = {
        "organization_id": cloud["AIVEN_ORGANIZATION_ID"],
        "organization_vpc_id": cloud["AIVEN_ORGANIZATION_VPC_ID"],
    }
    request = {**names, "vnet_id": peering_request(cloud)["vnet_id"]}
    url = client.post("/api/peerings", json=request).raise_for_status().headers["Location"]
    while (status := client.get(url).json())["state"] in AT_WORK:
        time.sleep(0.2)
    return str(status["state"])


def by_avn(console: Console) -> bool:
    """Peer by the app, then list, refresh and delete by avn; returns whether each command did what it can do."""
    directory = Path(tempfile.mkdtemp())
    with (
        local_cloud(directory / "cloud", "both_kinds") as cloud,
        local_app(directory / "app", app_settings(cloud)) as app,
        app.client() as client,
    ):
        vpc = ("--organization-vpc-id", cloud["AIVEN_ORGANIZATION_VPC_ID"])
        done = {"the app's start": peered(cloud, client) == "connected"}
        _, vpcs = avn(cloud, "list")
        done["list"] = [one["organization_vpc_id"] for one in vpcs] == [cloud["AIVEN_ORGANIZATION_VPC_ID"]]
        _, (connection,) = avn(cloud, "peering-connection", "list", *vpc)
        done["peering-connection list"] = connection["state"] == "ACTIVE"
        done["clouds list"] = len(avn(cloud, "clouds", "list")[1]["clouds"]) == 1
        networks = ("peering-connection", "user-peer-network-cidrs")
        named = (*vpc, "--peering-connection-id", connection["peering_connection_id"], "192.168.0.0/24")
        avn(cloud, *networks, "add", *named)
        done["user-peer-network-cidrs add"] = _networks(cloud) == ["192.168.0.0/24"]
        avn(cloud, *networks, "delete", *named)
        done["user-peer-network-cidrs delete"] = _networks(cloud) == []
        done["peering-connection refresh"] = avn(cloud, "peering-connection", "refresh", *vpc)[0] == 0
        delete = ("peering-connection", "delete", *vpc, "--peering-connection-id", connection["peering_connection_id"])
        done["peering-connection delete"] = avn(cloud, *delete)[0] == 0
        done["the connection is gone"] = not _connections(cloud)
        httpx.put(
            f"{cloud['LOCAL_CLOUD_ADMIN_URL']}/knobs", json={"organization_paths": "singular"}, trust_env=False
        ).raise_for_status()
        done["list, by the present paths"] = avn(cloud, "list")[0] == 0
        done[f"get fails by the present paths: {_WHY}"] = avn(cloud, "get", *vpc)[0] != 0
    for what, is_so in done.items():
        console.print(f"avn and an organization VPC, {what}: {'as expected' if is_so else 'DIFFERENT'}", markup=False)
    return all(done.values())


def _networks(cloud: Mapping[str, str]) -> list[str]:
    """The networks behind the VNet, as avn lists them."""
    vpc = ("--organization-vpc-id", cloud["AIVEN_ORGANIZATION_VPC_ID"])
    _, (connection,) = avn(cloud, "peering-connection", "list", *vpc)
    found: list[str] = connection["user_peer_network_cidrs"]
    return found


def _connections(cloud: Mapping[str, str]) -> list[Any]:
    state = httpx.get(f"{cloud['LOCAL_CLOUD_ADMIN_URL']}/state", trust_env=False).raise_for_status().json()
    found: list[Any] = state["peeringConnections"]
    return found
