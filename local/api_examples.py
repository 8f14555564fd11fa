"""`python -m local.api_examples`: records the examples of the OpenAPI document from a life on the local cloud."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.cloud.server.authority import trust_in_this_process
from local.processes import PROJECT

if TYPE_CHECKING:
    from local.deployment import Deployment

TARGET: Final = PROJECT / "triggers" / "documents" / "api_examples.json"
_LONGEST: Final = 3
#: Routes without an example: their responses are documents in full, or are described elsewhere.
_LEFT_OUT: Final = frozenset({"show_openapi", "show_docs", "list_problems"})


def _shortened(value: object) -> object:
    """A document with shortened lists: an example need not show every step."""
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    return [_shortened(one) for one in value[:_LONGEST]] if isinstance(value, list) else value


class _Recorder:
    """Asks the routes of a deployment by their names, and keeps each request with its answers."""

    def __init__(self, deployment: "Deployment") -> None:
        from triggers.route_table import ROUTES

        self.deployment, self.found = deployment, dict[str, dict[str, Any]]()
        self.names = {"id": "", "run": "", "code": "vnet-not-found"}
        self._paths = {route.name: (route.method, f"/api/{route.path}") for route in ROUTES}

    def ask(self, name: str, body: object = None, **query: str) -> dict[str, Any]:
        """Call a route once."""
        method, path = self._paths[name]
        answer = self.deployment.api.request(method, path.format(**self.names), json=body, params=query)
        document: dict[str, Any] = answer.raise_for_status().json()
        if name not in _LEFT_OUT:
            held = self.found.setdefault(name, {})
            held |= {"request": body} if body is not None else {}
            held.setdefault(str(answer.status_code), _shortened(document))
        return document

    def ask_and_wait(self, name: str, body: object) -> None:
        """Call a route, and wait until what it has begun has ended."""
        self.ask(name, body)
        self.deployment.until(self.names["id"])


def recorded() -> dict[str, dict[str, Any]]:
    """A request and the answers of each route, by its name."""
    trust_in_this_process()
    from local.deployment import deploy

    with tempfile.TemporaryDirectory() as directory, deploy(Path(directory)) as deployment:
        recorder = _Recorder(deployment)
        _set_up(recorder)
        _operate(recorder)
        _list_and_remove(recorder)
    return recorder.found


def _set_up(recorder: _Recorder) -> None:
    labels, note = {"owner": "operator", "ticket": "NET-7"}, "Ask the network team first."
    start = recorder.deployment.request(labels=labels, note=note)
    recorder.ask("start_peering", start, dryRun="true")
    begun = recorder.ask("start_peering", start)
    recorder.names |= {"id": begun["id"], "run": begun["run"]}
    recorder.deployment.until(begun["id"])
    recorder.ask("change_peering", {"labels": {"environment": "prod"}})
    recorder.ask_and_wait("change_peering", {"allow_forwarded_traffic": True, "labels": {"environment": "prod"}})


def _operate(recorder: _Recorder) -> None:
    recorder.ask_and_wait("check_peering", {})
    recorder.ask_and_wait("rotate_peering", {"credential": "secret"})
    recorder.ask("pause_peering", {"why": "The network team moves the hub.", "until": "2100-01-01T00:00:00Z"})
    for name in ("list_peerings", "show_peering", "show_runs", "show_run", "show_overview", "check_app"):
        recorder.ask(name)
    recorder.ask("report_peering", format="json")
    recorder.ask("resume_peering", {})
    recorder.ask("pause_peerings", {"why": "A freeze until the new year."}, label="environment=prod")
    recorder.ask("resume_peerings", {}, label="environment=prod")
    recorder.ask("check_peerings", {}, label="environment=prod")
    recorder.deployment.until(recorder.names["id"])


def _list_and_remove(recorder: _Recorder) -> None:
    deployment = recorder.deployment
    # A refusal, to be listed.
    deployment.api.post(f"/api/peerings/{recorder.names['id']}/cancel")
    for name in ("list_refusals", "list_unmanaged", "show_problem"):
        recorder.ask(name)
    # The response of an app with an empty registry.
    (account,) = deployment.cloud.world.storage_accounts.values()
    registry = account.tables.pop("peerings")
    recorder.ask("list_lost")
    account.tables["peerings"] = registry
    recorder.ask("erase_caller", {"caller": "user@example.com"})
    recorder.ask("remove_peering", dryRun="true")
    recorder.ask("remove_peering")
    recorder.ask_and_wait("cancel_run", {})


def main() -> None:
    """Write the examples."""
    TARGET.write_text(json.dumps(recorded(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
