"""Every feature of Durable Functions that the host claims to have."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.host import FunctionsHost, StateDirectoryInUseError
from tests.host.features import APPS, Features


def test_function_chaining(features: Features) -> None:
    assert features.output("chaining") == ["Hello Tokyo!", "Hello Seattle!"]


def test_fan_out_and_in(features: Features) -> None:
    assert features.output("fan_out", 40) == sum(n * n for n in range(40))


def test_an_external_event_wins_over_a_timer(features: Features) -> None:
    # The virtual clock would skip to the timer at once, so the event is there before the orchestrator begins to wait.
    links = features.start("waits_forever")
    url = links["sendEventPostUri"].replace("{eventName}", "go")
    assert features.client.post(url, json={"granted": True}).status_code == 202
    assert features.end(links)["output"] == {"granted": True}


def test_a_timer_wins_over_an_event_that_never_comes(features: Features) -> None:
    assert features.output("first_wins") == "timed out"


def test_retries_until_it_works(features: Features) -> None:
    assert features.output("retries") == "after 3"


def test_retries_end(features: Features) -> None:
    assert features.output("gives_up") is True


def test_sub_orchestrations_that_continue_as_new_answer_their_parent(features: Features) -> None:
    assert features.output("parent") == [True, True]


def test_a_day_of_timers_passes_in_a_moment(features: Features) -> None:
    started = time.monotonic()
    status = features.end(features.start("monitor"))
    assert (status["output"], status["customStatus"]) == (24, {"looks": 24})
    assert time.monotonic() - started < 5


def test_entities_count_exactly(features: Features) -> None:
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: features.end(features.start("counting", "shared")), range(20)))
    assert max(status["output"] for status in ended) == 40


def test_an_orchestrator_that_raises_fails(features: Features) -> None:
    status = features.end(features.start("broken"))
    assert status["runtimeStatus"] == "Failed"
    assert "broken on purpose" in status["output"]


def test_an_id_in_use_starts_nothing_else(features: Features) -> None:
    with ThreadPoolExecutor(8) as pool:
        post = features.client.post
        answers = list(pool.map(lambda _: post("/v1/start/waits_forever?id=one").status_code, range(8)))
    assert sorted(answers) == [202] + [409] * 7


def test_an_ended_instance_can_be_started_again(features: Features) -> None:
    for _ in range(2):
        assert features.end(features.start("chaining", instance="again"))["runtimeStatus"] == "Completed"


def test_suspend_resume_terminate_and_purge(features: Features) -> None:
    links = features.start("waits_forever")
    post = features.client.post
    assert post(links["suspendPostUri"]).status_code == 202
    assert features.status(links)["runtimeStatus"] == "Suspended"
    assert post(links["resumePostUri"]).status_code == 202
    assert post(links["terminatePostUri"].replace("{text}", "enough")).status_code == 202
    assert features.end(links)["runtimeStatus"] == "Terminated"
    assert features.client.delete(links["purgeHistoryDeleteUri"]).json() == {"instancesDeleted": 1}
    assert features.client.get(links["statusQueryGetUri"]).status_code == 404


def test_the_management_api_wants_the_system_key(features: Features) -> None:
    links = features.start("chaining")
    assert (
        features.client.get(links["statusQueryGetUri"].replace(features.host.keys.system, "guess")).status_code == 401
    )


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/v1/secured/7", "function", 200),
        ("/v1/secured/7", "master", 200),
        ("/v1/secured/7", "system", 401),
        ("/v1/secured/seven", "function", 404),
        ("/api/secured/7", "function", 404),
    ],
)
def test_routes_and_keys(features: Features, path: str, key: str, status: int) -> None:
    headers = {"x-functions-key": getattr(features.host.keys, key)}
    answer = features.client.get(path, headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"number": "7"}


def test_a_second_host_on_the_same_directory_is_refused(features: Features, tmp_path: Path) -> None:
    assert features.output("chaining")
    with pytest.raises(StateDirectoryInUseError):
        FunctionsHost(APPS / "features", tmp_path, port=0)
