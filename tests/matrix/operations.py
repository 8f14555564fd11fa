"""The operations of the matrix: how each is prepared and asked for, and when it has converged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from local.deployment import Deployment, Status

_DAYS: Final = timedelta(days=3)
_CHECKS: Final = 4


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        prepare: brings a peering to where the operation begins; returns its id.
        ask: carries it out; returns how the peering stands then.
        converged: whether that is its end; the peering's id is given.
        checks: it is a check, which may know nothing of what it could not look at, and begins nothing because of it.
        managed: the app signs in as its managed identity.
        services: the services whose calls are played with.
        scenario: the cloud that it is carried out in.
    """

    name: str
    prepare: Callable[[Deployment], str]
    ask: Callable[[Deployment, str], Status]
    converged: Callable[[Deployment, str, Status], bool]
    checks: bool = False
    managed: bool = False
    services: tuple[str, ...] = ("arm", "graph", "entra", "vault", "aiven", "table")
    scenario: str = "quick"


def _nothing(deployment: Deployment) -> str:
    return ""


def _connected(deployment: Deployment) -> str:
    status = deployment.settle()
    if status["state"] != "connected":
        raise RuntimeError(f"not prepared: {status.get('problem')}")
    return str(status["id"])


def _drifted(deployment: Deployment) -> str:
    identity = _connected(deployment)
    facts = deployment.record(identity)["facts"]
    deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    return identity


def _start(deployment: Deployment, _: str) -> Status:
    return deployment.settle()


def _check(deployment: Deployment, identity: str) -> Status:
    return deployment.check(identity)


def _repair(deployment: Deployment, identity: str) -> Status:
    """Checks until it is well: what could not be tried is tried again, at the pace of the schedule."""
    status: Status = {}
    for _ in range(_CHECKS):
        status = deployment.check(identity)
        if _is_healthy(status):
            break
        deployment.virtual_clock.advance_to(deployment.clock.now() + _DAYS)
    return status


def _is_healthy(status: Status) -> bool:
    return bool(status.get("health", {}).get("verdict") == "healthy")


def _ran_once(status: Status) -> bool:
    """Whether nothing but the start has run: a bad answer begins no repair, and no rotation."""
    return [run["operation"] for run in status["runs"]] == ["establish"]


def _is_connected(deployment: Deployment, _: str, status: Status) -> bool:
    return bool(status["state"] == "connected" and _one_of_each(deployment.cloud_state()))


def _one_of_each(held: dict[str, list[Any]]) -> bool:
    own = [one for one in held["applications"] if (one["uniqueName"] or "").startswith("aiven-azure-peering-")]
    sides = [one for one in held["virtualNetworkPeerings"] if "/Hub-VNet/" in one["id"]]
    counts = (len(own), len(held["peeringConnections"]), len(sides))
    return counts == (1, 1, 1) and len(own[0]["passwordCredentials"]) == 1


_OF_PROJECTS: Final = (
    Operation("establish", _nothing, _start, _is_connected),
    Operation(
        "federated",
        _nothing,
        lambda deployment, _: deployment.settle(credential="federated"),
        lambda _, __, status: bool(status["state"] == "connected"),
        managed=True,
        services=("identity", "graph", "entra"),
    ),
    Operation(
        "check", _connected, _check, lambda _, __, status: _is_healthy(status) and _ran_once(status), checks=True
    ),
    Operation("repair", _drifted, _repair, lambda _, __, status: _is_healthy(status), checks=True),
    Operation(
        "rotate",
        _connected,
        lambda deployment, identity: deployment.rotate(identity),
        lambda deployment, identity, status: (
            status["runs"][-1]["state"] == "rotated" and _is_connected(deployment, identity, status)
        ),
    ),
    Operation(
        "remove",
        _connected,
        lambda deployment, identity: deployment.remove(identity),
        lambda _, __, status: bool(status["state"] == "removed"),
    ),
)

#: Of a VPC of an organization, Aiven's calls are other ones; all others are the same.
_OF_ORGANIZATIONS: Final = tuple(
    replace(one, name=f"{one.name}-shared", services=("aiven",), scenario="organization")
    for one in _OF_PROJECTS
    if not one.managed
)

OPERATIONS: Final = (*_OF_PROJECTS, *_OF_ORGANIZATIONS)
