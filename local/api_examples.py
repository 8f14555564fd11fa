"""`python -m local.api_examples`: records the examples of the OpenAPI document from a life on the local cloud."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

from local.cloud.server.authority import trust_in_this_process
from local.processes import PROJECT

TARGET: Final = PROJECT / "triggers" / "api_examples.json"
_LONGEST: Final = 3
#: Routes without an example: their responses are documents in full, or are described elsewhere.
_LEFT_OUT: Final = frozenset({"show_openapi", "show_docs", "list_problems"})


def _shortened(value: object) -> object:
    """A document with shortened lists: an example need not show every step."""
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    return [_shortened(one) for one in value[:_LONGEST]] if isinstance(value, list) else value


def recorded() -> dict[str, dict[str, Any]]:
    """A request and the answers of each route, by its name."""
    trust_in_this_process()
    from local.deployment import deploy
    from triggers.route_table import ROUTES

    found: dict[str, dict[str, Any]] = {}
    paths = {route.name: (route.method, f"/api/{route.path}") for route in ROUTES}
    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory)) as deployment:
        names = {"id": "", "run": "", "code": "vnet-not-found"}

        def ask(name: str, body: object = None, **query: str) -> dict[str, Any]:
            method, path = paths[name]
            answer = deployment.api.request(method, path.format(**names), json=body, params=query)
            document: dict[str, Any] = answer.raise_for_status().json()
            if name not in _LEFT_OUT:
                held = found.setdefault(name, {})
                held |= {"request": body} if body is not None else {}
                held.setdefault(str(answer.status_code), _shortened(document))
            return document

        start = deployment.request(labels={"owner": "operator", "ticket": "NET-7"}, note="Ask the network team first.")
        ask("start_peering", start, dryRun="true")
        begun = ask("start_peering", start)
        names |= {"id": begun["id"], "run": begun["run"]}
        deployment.until(begun["id"])
        ask("change_peering", {"labels": {"environment": "prod"}})
        ask("change_peering", {"allow_forwarded_traffic": True, "labels": {"environment": "prod"}})
        deployment.until(begun["id"])
        ask("check_peering", {})
        deployment.until(begun["id"])
        ask("rotate_peering", {"credential": "secret"})
        deployment.until(begun["id"])
        ask("pause_peering", {"why": "The network team moves the hub.", "until": "2100-01-01T00:00:00Z"})
        for name in ("list_peerings", "show_peering", "show_runs", "show_run", "show_overview", "check_app"):
            ask(name)
        ask("report_peering", format="json")
        ask("resume_peering", {})
        ask("pause_peerings", {"why": "A freeze until the new year."}, label="environment=prod")
        ask("resume_peerings", {}, label="environment=prod")
        ask("check_peerings", {}, label="environment=prod")
        deployment.until(begun["id"])
        deployment.api.post(f"/api/peerings/{begun['id']}/cancel")
        for name in ("list_refusals", "list_unmanaged", "show_problem"):
            ask(name)
        # The response of an app with an empty registry.
        (account,) = deployment.cloud.world.storage_accounts.values()
        registry = account.tables.pop("peerings")
        ask("list_lost")
        account.tables["peerings"] = registry
        ask("erase_caller", {"caller": "user@example.com"})
        ask("remove_peering", dryRun="true")
        ask("remove_peering")
        ask("cancel_run", {})
        deployment.until(begun["id"])
    return found


def main() -> None:
    """Write the examples."""
    TARGET.write_text(json.dumps(recorded(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
