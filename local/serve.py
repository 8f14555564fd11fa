"""`make serve`: the app on http://127.0.0.1:7071 against the local cloud, until interrupted."""

import argparse
import json
import shlex
from pathlib import Path
from typing import Final

from rich.console import Console

from local.demo import peering_request
from local.processes import app_settings, local_app, local_cloud

DIRECTORY: Final = Path(".local/serve")


def main() -> None:
    """Serve in the foreground."""
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--scenario", default="demo", help="a scenario of local/cloud/scenarios, or a file")
    parser.add_argument("--port", type=int, default=7071)
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    for left in DIRECTORY.glob("app/*"):
        left.unlink()
    with (
        local_cloud(DIRECTORY, arguments.scenario) as cloud,
        local_app(DIRECTORY / "app", app_settings(cloud), port=arguments.port) as app,
    ):
        body = shlex.quote(json.dumps(peering_request(cloud)))
        console.print(f"The app answers on [bold]{app.url}[/], the cloud is {arguments.scenario}. Ctrl-C stops both.\n")
        key = DIRECTORY / "app" / "keys.json"
        curl, admin = 'curl -s -H "x-functions-key: $KEY"', cloud["LOCAL_CLOUD_ADMIN_URL"]
        for line in (
            f"export KEY=$(python3 -c \"import json; print(json.load(open('{key}'))['function'])\")",
            f'{curl} "{app.url}/api/peerings?dryRun=true" -d {body}',
            f"{curl} {app.url}/api/peerings -d {body}",
            f"{curl} {app.url}/api/peerings | python3 -m json.tool",
            f"{curl} -X POST {app.url}/api/peerings/ID/check    # also /rotate; DELETE without either",
        ):
            console.print(line, markup=False, highlight=False)
        console.print(
            f"\nlog: {app.log}    the cloud's side: {admin}/state, what can happen in it: POST {admin}/events"
        )
        try:
            app.process.wait()
        except KeyboardInterrupt:
            console.print("stopped")


if __name__ == "__main__":
    main()
