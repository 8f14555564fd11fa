"""No password, token or Aiven token gets out: not into the task hub, the log, an answer, or the list of processes."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from local.clock import SystemClock
from local.cloud import LocalCloud
from local.demo import peering_request
from local.deployment import AT_WORK
from local.processes import FunctionsApp, app_settings, local_app


def _processes(app: FunctionsApp) -> str:
    process = psutil.Process(app.process.pid)
    return json.dumps([one.cmdline() for one in (process, *process.children(recursive=True))])


def _answers(app: FunctionsApp, location: str) -> Iterator[str]:
    """What the API answers in a peering's life: set up, checked, its credential rotated, reported on."""
    with app.client() as client:
        yield from _until_at_rest(client, location)
        for path in ("/check", "/rotate"):
            yield client.post(f"{location}{path}").text
            yield from _until_at_rest(client, location)
        for path in ("", f"/{location.rpartition('/')[2]}/report", "?dryRun=true", "/none"):
            yield client.get(f"/api/peerings{path}").text
        for path in ("/api/problems", "/api/unmanaged", "/nothing"):
            yield client.get(path).text


def _until_at_rest(client: httpx.Client, location: str) -> Iterator[str]:
    while True:
        answer = client.get(location)
        yield answer.text
        if answer.json()["state"] not in AT_WORK and not answer.json()["checking"]:
            assert answer.json()["state"] == "connected", answer.text
            return
        time.sleep(0.1)


def _management_answers(app: FunctionsApp, state: Path) -> str:
    """Every instance with its history, inputs and outputs, and every entity, as the management API tells of them."""
    keys = json.loads((state / "keys.json").read_text())
    query = {"code": keys["system"], "showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
    url = f"{app.url}/runtime/webhooks/durabletask"
    instances = httpx.get(f"{url}/instances", params=query, trust_env=False).json()
    texts = [httpx.get(f"{url}/entities", params=query, trust_env=False).text]
    for instance in instances:
        texts.append(httpx.get(f"{url}/instances/{instance['instanceId']}", params=query, trust_env=False).text)
    assert len(instances) > 3
    return "".join(texts)


def test_nothing_secret_is_left_anywhere(tmp_path: Path, issued: list[str], passwords: list[str]) -> None:
    # Some waits, some refusals and a lost answer, so that error texts are searched too.
    cloud = LocalCloud("demo", tmp_path / "cloud", clock=SystemClock(), seed=None)
    cloud.world.knobs.detect = 1
    state = tmp_path / "app"
    found: dict[str, str] = {}
    with cloud, local_app(state, app_settings(cloud.environment)) as app:
        with app.client() as client:
            started = client.post("/api/peerings", json=peering_request(cloud.environment))
        found["answers"] = started.text + "".join(_answers(app, started.headers["Location"]))
        found["management"] = _management_answers(app, state)
        found["processes"] = _processes(app)
        for path in state.iterdir():
            found[path.name] = path.read_bytes().decode("latin-1")
        found["request log"] = httpx.get(f"{cloud.admin_url}/requests", trust_env=False).text
        found["cloud state"] = httpx.get(f"{cloud.admin_url}/state", trust_env=False).text
    # The first is the app's own, the others are those that the rotation made one after the other.
    assert len(passwords) == 3
    secrets = {
        **{f"password {n}": text for n, text in enumerate(passwords)},
        "the app's own password": cloud.environment["AZURE_CLIENT_SECRET"],
        "the Aiven token": cloud.environment["AIVEN_AUTH_TOKEN"],
        **{f"access token {n}": token for n, token in enumerate(issued)},
        **{f"the signature of access token {n}": token.rpartition(".")[2] for n, token in enumerate(issued)},
    }
    assert len(issued) >= 5
    assert {"task-hub.db", "app.log"} <= set(found)
    assert "connection-not-built" in found["answers"]
    for name, secret in secrets.items():
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            places = [place for place, text in found.items() if form in text]
            assert not places, f"{name} is in {places}"
