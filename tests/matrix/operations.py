"""The operations of the matrix: how each is prepared and asked for, and when it has converged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from local.cloud import Scenario
from local.cloud.world.records import SecretVersion
from local.deployment import Deployment, Status
from tests.workflows.by_hand import made_by_hand
from tests.workflows.cloud_objects import rights

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
        paths: of their calls those whose path has this pattern.
        scenario: the cloud that it is carried out in.
        laid: what there is before the app comes, and when it has gone.
    """

    name: str
    prepare: Callable[[Deployment], str]
    ask: Callable[[Deployment, str], Status]
    converged: Callable[[Deployment, str, Status], bool]
    checks: bool = False
    managed: bool = False
    services: tuple[str, ...] = ("arm", "graph", "entra", "vault", "aiven", "table")
    paths: str = ""
    scenario: str | Scenario = "quick"
    laid: Callable[[Deployment], object] = lambda _: None

    def of_organization(self, name: str = "shared", **knobs: object) -> "Operation":
        """The same with an organization VPC, with which Aiven's calls alone are different."""
        scenario = Scenario.model_validate({"vpcs_of": "organization", **knobs})
        return replace(self, name=f"{self.name}-{name}", services=("aiven",), scenario=scenario)


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


def _by_hand(deployment: Deployment) -> None:
    """The pair was peered manually, as in the article."""
    made_by_hand(deployment.cloud, str(deployment.request()["vnet_id"]))


def _is_adopted(deployment: Deployment, _: str, status: Status) -> bool:
    held = deployment.cloud_state()
    sides = [one for one in held["virtualNetworkPeerings"] if "/Hub-VNet/" in one["id"]]
    (application,) = (one for one in held["applications"] if one["displayName"] == "by hand")
    own = [one for one in application["passwordCredentials"] if one["displayName"] != "by hand"]
    return status["state"] == "connected" and (len(held["peeringConnections"]), len(sides), len(own)) == (1, 1, 1)


def _held(deployment: Deployment) -> None:
    """A lock, policies and a deny assignment that block nothing."""
    vnet = str(deployment.request()["vnet_id"])
    subscription, machines = vnet.partition("/resourceGroups/")[0], "Microsoft.Compute/virtualMachines"
    deployment.event(kind="add-lock", scope=f"{vnet}/subnets/default", level="CanNotDelete")
    deployment.event(kind="assign-policy", scope=subscription, name="audits", effect="audit")
    deployment.event(kind="assign-policy", scope=subscription, name="denies", resource_type=machines)
    deployment.event(kind="add-deny-assignment", scope=vnet, actions=[f"{machines}/write"])


def _peered_elsewhere(deployment: Deployment) -> None:
    """The VNet has further peerings, so that its list has further pages."""
    kind, vnet = "add-vnet-peering-to-overlapping-network", str(deployment.request()["vnet_id"])
    for number in (1, 2):
        deployment.event(kind=kind, vnet_id=vnet, prefixes=[f"10.9{number}.0.0/24"], name=f"Spoke-{number}")


def _with_a_later_version(deployment: Deployment) -> str:
    """A peering into whose secret a person has put another password."""
    identity = _connected(deployment)
    name = deployment.record(identity)["facts"]["secret_name"]
    for vault in deployment.cloud.world.vaults.values():
        later = deployment.cloud.world.after(5)
        vault.secrets[name].append(SecretVersion("f" * 32, "by hand", later, {}, None, None))
    return identity


def _start_setup_only(deployment: Deployment, _: str) -> Status:
    """A start, and checks: an object that cannot be removed is a finding, and is removed later."""
    status = deployment.settle(privilege="setup-only")
    return _repair(deployment, status["id"]) if status["state"] == "connected" else status


def _is_released(deployment: Deployment, _: str, status: Status) -> bool:
    return _is_healthy(status) and _one_of_each(deployment.cloud_state()) and rights(deployment, status) == 0


_OF_BOTH: Final = (
    Operation("establish", _nothing, _start, _is_connected),
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

_ESTABLISH: Final = _OF_BOTH[0]
_ADOPT: Final = Operation(
    "adopt",
    _nothing,
    lambda deployment, _: deployment.settle(adopt=True),
    _is_adopted,
    services=("arm", "graph", "vault", "aiven"),
    laid=_by_hand,
)
_OF_ORGANIZATIONS: Final = (
    *(one.of_organization() for one in (*_OF_BOTH, _ADOPT)),
    # The platform sees the VNet's side after a while, so Aiven is asked to refresh.
    _ESTABLISH.of_organization("refreshed", detect=60),
    # Both spellings of the paths are tried, and the list of VPCs is read between them.
    *(one.of_organization("renamed", organization_paths="plural", organization_unknown="page") for one in _OF_BOTH),
    # Aiven refuses the connection while the role is not effective, so it is deleted, and requested again.
    _ESTABLISH.of_organization("refused", role_effective=120, approved=5),
)

_OF_PROJECTS: Final = (
    Operation(
        "federated",
        _nothing,
        lambda deployment, _: deployment.settle(credential="federated"),
        lambda _, __, status: bool(status["state"] == "connected"),
        managed=True,
        services=("identity", "graph", "entra"),
    ),
    # The app's own identity gets its tokens elsewhere: only the created application signs in to Entra.
    Operation("own-sign-in", _nothing, _start, _is_connected, managed=True, services=("entra",)),
    Operation(
        "held",
        _nothing,
        _start,
        _is_connected,
        services=("arm",),
        paths="/(locks|denyAssignments|policy[A-Z][a-z]+)(/|$)",
        laid=_held,
    ),
    _ADOPT,
    Operation(
        "setup-only",
        _nothing,
        _start_setup_only,
        _is_released,
        services=("arm",),
        paths="/role(Assignments|Definitions)",
    ),
    # One thing to a page: what comes second is a next page.
    Operation(
        "paged",
        _with_a_later_version,
        _check,
        lambda _, __, status: _is_healthy(status) and _ran_once(status),
        checks=True,
        services=("arm", "vault"),
        paths="/(role(Assignments|Definitions)|virtualNetworkPeerings|versions|secrets)$",
        scenario=Scenario(list_page=1),
        laid=_peered_elsewhere,
    ),
)

OPERATIONS: Final = (*_OF_BOTH, *_OF_ORGANIZATIONS, *_OF_PROJECTS)
