"""The custom status of a whole run stays small, whatever the networks are called and the remotes say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from azure.durable_functions import DurableOrchestrationContext

from local.cloud import Scenario
from local.deployment import Deployment, deploy
from peering.outcome import Occurrence
from peering.problems.codes import ProblemCode
from peering.progress import LARGEST_STATUS, StepProgress, progress
from peering.step_names import StepName
from peering.steps import REMOVAL, STEPS

#: Azure's longest names of a resource group, a VNet and a VNet peering.
GROUP, VNET, PEERING = "g" * 90, "v" * 64, "p" * 80
NEIGHBOURS: Final = 40
MESSAGE: Final = {"error": {"code": "RetryableError", "message": "\N{GRINNING FACE}" * 8192}}
#: The first answer to every kind of request says a lot.
FAULTS: Final = [
    {"host": r"management\.azure\.com", "path": path, "status": 429, "body": MESSAGE}
    for path in ("/virtualNetworks/[^/]+$", "/roleDefinitions", "/roleAssignments/", "/virtualNetworkPeerings/")
] + [
    {"host": r"graph\.microsoft\.com", "path": path, "status": 503, "body": MESSAGE}
    for path in ("/applications", "/servicePrincipals")
]


@pytest.fixture
def statuses(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every custom status that an orchestrator sets from now on."""
    seen: list[Any] = []
    # The engines carry a status out of sight of the tests: what both have in common is the SDK.
    set_status = DurableOrchestrationContext.set_custom_status

    def setting(context: DurableOrchestrationContext, status: object) -> None:
        seen.append(status)
        set_status(context, status)

    monkeypatch.setattr(DurableOrchestrationContext, "set_custom_status", setting)
    return seen


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """A cloud with a VNet of the longest names."""
    with deploy(tmp_path, Scenario()) as deployed:
        world = deployed.cloud.world
        vnet = world.add_vnet(deployed.cloud.landscape.subscription, GROUP, VNET, "10.99.0.0/24")
        vnet.prefixes = [f"10.99.{number}.0/24" for number in range(100)]
        yield deployed


def _largest(statuses: list[Any]) -> int:
    assert len(statuses) > 1
    return max(len(json.dumps(status)) for status in statuses)


def _options(deployment: Deployment) -> dict[str, object]:
    (vnet,) = [vnet.id for vnet in deployment.cloud.world.vnets.values() if vnet.name == VNET]
    cidrs = [f"172.16.{number}.0/24" for number in range(16)]
    return {"vnet_id": vnet, "peering_name": PEERING, "user_peer_network_cidrs": cidrs}


def test_with_the_longest_names_a_hundred_cidrs_and_long_messages(deployment: Deployment, statuses: list[Any]) -> None:
    deployment.knobs(faults=FAULTS)
    assert deployment.settle(**_options(deployment))["state"] == "connected"
    assert not any(fault.times for fault in deployment.cloud.world.knobs.faults)
    assert _largest(statuses) <= LARGEST_STATUS


def test_every_operation_while_all_remotes_say_a_lot(deployment: Deployment, statuses: list[Any]) -> None:
    options = _options(deployment)
    identity = deployment.settle(**options)["id"]
    statuses.clear()
    deployment.knobs(faults=FAULTS)
    deployment.rotate(identity)
    deployment.knobs(faults=FAULTS)
    deployment.settle(**options, secret_lifetime_days=99)
    deployment.knobs(faults=FAULTS)
    assert deployment.remove(identity)["state"] == "removed"
    assert {status["operation"] for status in statuses if "operation" in status} >= {"establish", "rotate", "remove"}
    assert _largest(statuses) <= LARGEST_STATUS


def test_with_forty_neighbours_that_overlap(deployment: Deployment, statuses: list[Any]) -> None:
    options = _options(deployment)
    for number in range(NEIGHBOURS):
        name = f"{number:02d}{'n' * 62}"
        prefixes = [f"10.240.{8 + number // 16}.{number % 16 * 16}/28"]
        event = {"vnet_id": options["vnet_id"], "prefixes": prefixes, "name": name}
        deployment.event(kind="add-vnet-peering-to-overlapping-network", **event)
    status = deployment.settle(**options)
    problem = status["problem"]
    assert (status["state"], problem["code"]) == ("failed", "address-space-overlaps-peered-vnet")
    assert len(problem["also"]) == NEIGHBOURS - 1
    assert _largest(statuses) <= LARGEST_STATUS


@pytest.mark.parametrize("failed", [0, 1, 6, 12, 41])
def test_a_status_stays_small_however_many_steps_have_failed(failed: int) -> None:
    code, now = max(get_args(ProblemCode), key=len), "2026-01-01T00:00:00.123456+00:00"
    steps = dict[StepName, StepProgress]()
    for number, name in enumerate(sorted({step.name for step in (*STEPS, *REMOVAL)})):
        ended = StepProgress(state="done", started=now, tries=12, finished="2026-01-02T00:00:00.123456+00:00")
        if number < failed:
            ended["state"], ended["problem"] = "failed", Occurrence(code=code, detail="\N{GRINNING FACE}" * 9000)
        steps[name] = ended
    told = progress("establish", "rolling-back", "12345678", "abcdefabcdef", now, steps)
    assert len(json.dumps(told)) <= LARGEST_STATUS
    assert failed == 0 or failed == len(steps) or any("problem" in step for step in told["steps"].values())
