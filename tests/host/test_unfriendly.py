"""Where the genuine engine is unkind to an app, the host is, too."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.host.features import APPS, Features, serve


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Features]:
    """The app with a functionTimeout of two seconds."""
    app = tmp_path / "impatient"
    shutil.copytree(APPS / "features", app, ignore=shutil.ignore_patterns("__pycache__"))
    settings = json.loads((app / "host.json").read_text())
    (app / "host.json").write_text(json.dumps({**settings, "functionTimeout": "00:00:02"}))
    with serve(tmp_path / "state", app) as running:
        yield running


def test_a_start_of_an_id_that_runs_is_refused_by_default(features: Features) -> None:
    features.start("waits_forever", instance="one")
    again = features.client.post(features.management("orchestrators/waits_forever/one"))
    messages = [f"An Orchestration instance with the status {s} already exists." for s in ("Pending", "Running")]
    assert (again.status_code, again.json()["Message"] in messages) == (409, True), again.text
    refused = features.client.post("/v1/start/waits_forever?id=one")
    assert refused.status_code == 409
    assert refused.text in [str({"Message": message}) for message in messages]


def test_a_custom_status_of_16_kb_is_taken(features: Features) -> None:
    status = features.end(features.start("broad_status", {"characters": 8190}))
    assert (status["runtimeStatus"], len(status["customStatus"])) == ("Completed", 8190)


def test_a_larger_custom_status_fails_the_orchestration_before_its_actions(features: Features) -> None:
    status = features.end(features.start("broad_status", {"characters": 8191}))
    assert (status["runtimeStatus"], status["customStatus"]) == ("Failed", "small")
    assert status["output"].startswith("Orchestrator function 'broad_status' failed: The custom status is 16.0 KB")
    assert features.calls() == {"small status": 1}


def test_a_sub_orchestration_takes_the_place_of_a_running_one_of_its_id(features: Features) -> None:
    first = features.start("takes_over", {"child": "taken"})
    features.until(first, "Running")
    second = features.start("takes_over", {"child": "taken"})
    time.sleep(0.3)
    child = {name: url.replace(first["id"], "taken") for name, url in first.items()}
    assert features.raise_event(child, "go", "on") == 202
    assert features.end(second)["output"] == "on"
    assert features.status(first)["runtimeStatus"] == "Running"


@pytest.mark.parametrize(("instance", "status"), [("x" * 256, 202), ("x" * 257, 400), ("a@b", 202), ("@b", 400)])
def test_the_length_and_the_beginning_of_an_id(features: Features, instance: str, status: int) -> None:
    answer = features.client.post(features.management(f"orchestrators/chaining/{instance}"))
    assert answer.status_code == status


@pytest.mark.parametrize("sign", ["%5C", "%23", "%3F", "%09", "%7F"])
def test_an_id_has_no_separators_and_no_control_characters(features: Features, sign: str) -> None:
    assert features.client.post(features.management(f"orchestrators/chaining/a{sign}b")).status_code == 400


def test_a_function_beyond_its_time_takes_everything_else_in_the_worker_along(impatient: Features) -> None:
    impatient.output("counts", "before")
    slow = impatient.start("naps", {"seconds": 20})
    time.sleep(0.5)
    with ThreadPoolExecutor(1) as pool:
        other, blocking = impatient.start("naps", {"seconds": 1.9}), impatient.start("dawdles")
        request = pool.submit(impatient.client.get, "/v1/dawdle")
        ran_too_long, fell_with_it = (impatient.end(links)["output"] for links in (slow, other))
        failed = impatient.end(blocking)
    assert "ran longer than functionTimeout, 2.0 s" in ran_too_long
    assert "The language worker ended while nap ran" in fell_with_it
    assert failed["runtimeStatus"] == "Failed"
    assert "The language worker ended while dawdles ran" in failed["output"]
    assert request.result().status_code == 500


def test_a_worker_that_restarts_has_reloaded_the_app(impatient: Features) -> None:
    impatient.output("counts", "here")
    assert impatient.calls() == {"here": 1}
    impatient.output("naps", {"seconds": 20})
    assert impatient.calls() == {}
    assert impatient.output("counts", "here") == 1


def test_an_event_without_a_body_is_refused(features: Features) -> None:
    links = features.start("waits_forever")
    url, headers = links["sendEventPostUri"].replace("{eventName}", "go"), {"content-type": "application/json"}
    answer = features.client.post(url, headers=headers)
    assert (answer.status_code, answer.json()["Message"]) == (400, "Invalid JSON content")
    assert features.client.post(url, headers=headers, content="null").status_code == 202


def test_an_event_for_nobody_is_404_and_for_an_ended_instance_410(features: Features) -> None:
    links = features.start("chaining")
    features.end(links)
    assert features.raise_event(links, "go", 1) == 410
    nobody = {name: url.replace(links["id"], "nobody") for name, url in links.items()}
    assert features.raise_event(nobody, "go", 1) == 404


def test_an_orchestrator_that_does_not_exist_is_started_and_fails(features: Features) -> None:
    status = features.end(features.start("nobody"))
    assert status["runtimeStatus"] == "Failed"
    assert status["output"].startswith("Orchestrator function 'nobody' failed: The function 'nobody' doesn't exist")


@pytest.mark.parametrize("name", ["calls_nobody", "calls_no_child"])
def test_a_call_of_a_function_that_does_not_exist_never_ends(features: Features, name: str) -> None:
    links = features.start(name)
    features.until(links, "Running")
    time.sleep(0.3)
    assert features.status(links)["runtimeStatus"] == "Running"
    assert features.client.post(links["terminatePostUri"]).status_code == 202
    assert features.end(links)["runtimeStatus"] == "Terminated"


def test_retries_do_not_wait_for_parts_of_a_second(features: Features) -> None:
    seconds = features.output("retries_soon")
    assert isinstance(seconds, float)
    assert seconds < 1.5


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("GET", "instances/{id}"), ("GET", "instances"), ("DELETE", "instances/{id}")],
        *[("POST", "instances/{id}/raiseEvent/go"), ("POST", "orchestrators/chaining"), ("GET", "entities/counter/x")],
    ],
)
def test_management_calls_that_name_another_task_hub_find_nothing(features: Features, method: str, path: str) -> None:
    links = features.start("waits_forever")
    url = features.management(path.format(id=links["id"]) + "?taskHub=Other")
    assert features.client.request(method, url, json=1 if method == "POST" else None).status_code == 404
    assert features.status(links)["runtimeStatus"] in ("Pending", "Running")
