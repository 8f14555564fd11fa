"""`make demo`: one peering from a POST to ACTIVE and Connected, with the local cloud and the app on this machine."""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final, cast

import httpx
from rich.console import Console
from rich.live import Live

from local.processes import FunctionsApp, app_settings, local_app, local_cloud
from local.timeline import timeline

DIRECTORY: Final = Path(".local/demo")
_POLL_SECONDS: Final = 0.25


def peering_request(cloud: dict[str, str]) -> dict[str, object]:
    """The body of `POST /api/peerings` for the local cloud's first VNet and project VPC."""
    subscription, group, vnet = cloud["AZURE_SUBSCRIPTION_ID"], cloud["RESOURCE_GROUP"], cloud["VNET_NAME"]
    return {
        "project": cloud["AIVEN_PROJECT"],
        "project_vpc_id": cloud["AIVEN_PROJECT_VPC_ID"],
        "vnet_id": f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Network/virtualNetworks/{vnet}",
    }


def watch(console: Console, client: httpx.Client, url: str) -> dict[str, Any]:
    """Show a peering's steps as they happen, until it has come to an end; returns its last status."""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            status = cast("dict[str, Any]", client.get(url).raise_for_status().json())
            live.update(timeline(status), refresh=True)
            if status["state"] != "running":
                return status
            time.sleep(_POLL_SECONDS)


def _run(console: Console, app: FunctionsApp, cloud: dict[str, str]) -> bool:
    body = peering_request(cloud)
    console.print(f"POST {app.url}/api/peerings", style="bold")
    console.print_json(json.dumps(body))
    with app.client() as client:
        started = client.post("/api/peerings", json=body).raise_for_status()
        console.print(f"{started.status_code} {started.reason_phrase}, Location: {started.headers['Location']}\n")
        status = watch(console, client, started.headers["Location"])
    for name in ("requests", "state"):
        answer = httpx.get(f"{cloud['LOCAL_CLOUD_ADMIN_URL']}/{name}", trust_env=False).raise_for_status()
        (DIRECTORY / f"{name}.json").write_text(json.dumps(answer.json(), indent=1))
    if status["state"] != "connected":
        console.print_json(json.dumps(status.get("problem")))
        return False
    facts = status["facts"]
    console.print(
        f"\nAiven: [bold green]{facts['connection_state']}[/]   Azure: [bold green]{facts['peering_state']}[/]"
        f" ({facts['peering_sync_level']})\n{facts['vnet_peering_id']}\n"
    )
    return True


def main() -> int:
    """Run the demonstration; the exit status is 0 when the peering is ACTIVE and Connected."""
    console = Console()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for left in DIRECTORY.glob("app/*"):
        left.unlink()
    with local_cloud(DIRECTORY, "demo") as cloud, local_app(DIRECTORY / "app", app_settings(cloud)) as app:
        connected = _run(console, app, cloud)
    console.print("Where to look next", style="bold")
    for where, what in (
        (f"{DIRECTORY}/requests.json", "every request of the app, as the clouds saw it"),
        (f"{DIRECTORY}/state.json", "what the two tenants and Aiven hold now"),
        (f"{DIRECTORY}/app/app.log", "the app's log"),
        ("make serve", "the same app and cloud, to play with"),
    ):
        console.print(f"  {where:<27} {what}")
    return 0 if connected else 1


if __name__ == "__main__":
    sys.exit(main())
