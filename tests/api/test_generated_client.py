"""A client that openapi-python-client generates from the document leads a whole life: plan, start, change, removal."""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local.deployment import AT_WORK, Deployment
from triggers.documents.openapi import document

PACKAGE = "generated_peerings_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The client's package, on the path."""
    directory = tmp_path_factory.mktemp("client")
    (directory / "openapi.json").write_text(json.dumps(document()))
    options = {"post_hooks": [], "package_name_override": PACKAGE}
    (directory / "options.json").write_text(json.dumps(options))
    program = Path(sys.executable).with_name("openapi-python-client")
    given = ("--path", "openapi.json", "--config", "options.json", "--meta", "none", "--output-path", PACKAGE)
    told = subprocess.run([program, "generate", *given], cwd=directory, check=True, capture_output=True, text=True)
    assert "WARNING" not in told.stdout
    sys.path.insert(0, str(directory))
    yield directory
    sys.path.remove(str(directory))


def part(name: str) -> ModuleType:
    """A module of the client."""
    return importlib.import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def client(generated: Path, deployment: Deployment) -> Any:  # noqa: ANN401 - generated
    """The client, with the function key."""
    headers = {"x-functions-key": deployment.host.keys.function}
    return part("client").Client(base_url=deployment.host.url, headers=headers, httpx_args={"trust_env": False})


def asked(client: Any, name: str, *path: str, **given: Any) -> Any:  # noqa: ANN401 - generated
    """The answer to a request, read into the client's own models."""
    answer = part(f"api.peerings.{name}").sync_detailed(*path, client=client, **given)
    assert answer.status_code < 300, answer.content
    return answer.parsed


def at_rest(client: Any, identity: str) -> Any:  # noqa: ANN401 - generated
    """How the peering stands once nothing is under way."""
    deadline = time.monotonic() + 90
    while (status := asked(client, "show_peering", identity)).state in AT_WORK or status.checking:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return status


def test_a_generated_client_leads_a_whole_life(client: Any, deployment: Deployment) -> None:  # noqa: ANN401 - generated
    models = part("models")
    request = models.PeeringRequest.from_dict(deployment.request(labels={"owner": "operator"}))
    dry = models.StartPeeringDryRun.TRUE
    plan = asked(client, "start_peering", body=request, dry_run=dry)
    assert (type(plan).__name__, plan.result) == ("PlanDocument", "create")
    accepted = asked(client, "start_peering", body=request, idempotency_key="life")
    assert asked(client, "start_peering", body=request, idempotency_key="life").run == accepted.run
    identity = accepted.id
    assert at_rest(client, identity).state == "connected"
    assert asked(client, "show_run", identity, accepted.run).outcome == "done"
    patch = models.PeeringPatch.from_dict({"labels": {"owner": None, "ticket": "NET-7"}})
    changed = asked(client, "change_peering", identity, body=patch)
    assert changed.labels.to_dict() == {"ticket": "NET-7"}
    for name in ("check_peering", "rotate_peering"):
        asked(client, name, identity)
        assert at_rest(client, identity).health.verdict == "healthy" or name == "rotate_peering"
    listed = asked(client, "list_peerings", label="ticket=NET-7", count=models.ListPeeringsCount.TRUE)
    assert ([one.id for one in listed.peerings], listed.count) == ([identity], 1)
    asked(client, "remove_peering", identity)
    assert at_rest(client, identity).state == "removed"
    operations = [run.operation for run in asked(client, "show_runs", identity).runs]
    assert (operations[0], operations[-1]) == ("remove", "establish")
    assert {"check", "rotate"} <= set(operations)
