"""Every row of docs/drift.md: it happens in the cloud, a check finds it, and what can be repaired is repaired."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle
from types import MappingProxyType
from typing import Any, Final, cast

import pytest

from local.cloud import Scenario
from local.cloud.world.world import PLATFORM_APP, Connection, VNetPeering, World
from local.deployment import Deployment, Status, deploy
from peering.aiven_vpc import AivenVpc, Kind
from peering.drift import DRIFT
from peering.naming import role_assignment_name
from tests.workflows.document_events import Change, changes_of, filled, mention
from tests.workflows.document_rows import each
from tests.workflows.markdown_tables import DOCS, Row, code_spans, table

pytestmark = pytest.mark.both_kinds

_FOUND: Final = ("What happened", "Verdict", "Problem codes", "Repair", "Verdict afterwards")
INJECTED: Final = table("drift.md", *_FOUND)
CHANGES: Final = changes_of(INJECTED, "What happened", "drift_events.json")
BY_HAND: Final = table("drift.md", *_FOUND, "Why no event does it")
SCENARIO: Final = Scenario.model_validate({"vnets": 80, "project_vpcs": 20})
LOG: Final = "aiven_azure_peering.health"
#: Placeholders for what all peerings of a tenant share: a row that names one gets a cloud of its own.
SHARED: Final = ("$platform_application", "$automation")
ALL_AT_ONCE: Final = [row for row in INJECTED if any(mention(CHANGES[row["What happened"]], name) for name in SHARED)]


@dataclass(frozen=True)
class Repair:
    """A repair of the document's vocabulary, by what the app did: a run, steps of it, and writes that were accepted."""

    operation: str = ""
    ended: str = ""
    steps: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    may_write: frozenset[str] = frozenset()


_PUT_SIDE: Final = "PUT virtualNetworkPeerings"
REPAIRS: Final = {
    "none": Repair(),
    "sync": Repair("repair", "connected", frozenset({"sync"}), frozenset({_PUT_SIDE})),
    "VNet peering updated": Repair("repair", "connected", frozenset({"vnet_peering"}), frozenset({_PUT_SIDE})),
    "connection and both sides recreated": Repair(
        "repair",
        "connected",
        writes=frozenset({"POST peering-connection", _PUT_SIDE}),
        may_write=frozenset({"DELETE peering-connection", "DELETE virtualNetworkPeerings"}),
    ),
    "role assigned again": Repair(
        "repair",
        "connected",
        writes=frozenset({"PUT roleAssignments"}),
        may_write=frozenset({"PATCH servicePrincipals"}),
    ),
    "credential rotated, then role assigned again": Repair(
        "repair",
        "connected",
        writes=frozenset({"POST addPassword", "PUT secrets", "PUT roleAssignments"}),
        may_write=frozenset({"POST removePassword", "PATCH secrets", "POST deletedsecrets", "PATCH servicePrincipals"}),
    ),
    "role removed": Repair("repair", "connected", writes=frozenset({"DELETE roleAssignments"})),
    "credential rotated": Repair(
        "rotate",
        "rotated",
        writes=frozenset({"POST addPassword", "PUT secrets"}),
        may_write=frozenset({"POST removePassword", "PATCH secrets", "POST deletedsecrets"}),
    ),
}
_KINDS: Final = re.compile(
    "virtualNetworkPeerings|roleAssignments|roleDefinitions|peering-connection|addPassword|removePassword"
    "|applications|servicePrincipals|deletedsecrets|secrets"
)


def kind(request: dict[str, Any]) -> str:
    """What kind of write a request is."""
    return f"{request['method']} {_KINDS.findall(request['path'])[-1]}"


def repairs(deployment: Deployment, before: Status, after: Status) -> list[str]:
    """The repairs of the vocabulary that fit what the app has done between two moments; one, if all is well."""
    runs = after["runs"][len(before["runs"]) :]
    steps = {step["name"] for step in after["steps"] if runs and step["state"] == "done"}
    writes = {kind(request) for request in deployment.writes() if request["status"] < 400}
    operation, ended = (runs[-1]["operation"], runs[-1]["state"]) if runs else ("", "")
    return [
        name
        for name, repair in REPAIRS.items()
        if (repair.operation, repair.ended) == (operation, ended)
        and repair.steps <= steps
        and repair.writes <= writes <= repair.writes | repair.may_write
    ]


@dataclass
class Ground:
    """Pairs of a VNet and a project VPC in one cloud, each for one peering."""

    deployment: Deployment
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._vnets = iter(self.deployment.cloud.vnet_ids)
        vpcs = list(self.deployment.cloud.world.vpcs)
        half = len(vpcs) // 2
        self._common, self._own = cycle(vpcs[:half] or vpcs), iter(vpcs[half:])

    def connect(self, options: Mapping[str, object] = MappingProxyType({}), *, alone: bool = False) -> Status:
        """Connect a VNet that no other peering uses, and see that it is healthy.

        Args:
            options: what else the request asks for.
            alone: with a project VPC and roles that no other peering uses.
        """
        number = next(self._numbers)
        names = {f"{whose}_role_name": f"{whose} {number}" for whose in ("user", "platform")} if alone else {}
        where = {"vnet_id": next(self._vnets), "vpc": next(self._own if alone else self._common)}
        status = self.deployment.settle(**{**where, **names, "allow_forwarded_traffic": True, **options})
        assert status["state"] == "connected", status.get("problem")
        checked = self.deployment.check(status["id"])
        assert checked["health"]["verdict"] == "healthy", checked["health"]
        self.deployment.clear_requests()
        return checked


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, aiven_vpc: Kind) -> Iterator[Ground]:
    """One cloud with room for a peering of each test."""
    with deploy(tmp_path_factory.mktemp("drift"), SCENARIO) as deployed:
        yield Ground(deployed)


@dataclass
class Verdicts:
    """The verdicts that the app's log announced."""

    log: pytest.LogCaptureFixture

    def of(self, identity: str) -> list[tuple[str, str, list[str]]]:
        """Those of one peering: the verdict before, the verdict, and the codes."""
        lines = [record.getMessage() for record in self.log.records if record.name == LOG]
        said = [dict(part.split("=", 1) for part in line.split()) for line in lines if "verdict-changed" in line]
        return [(s["previous"], s["verdict"], s["codes"].split(",")) for s in said if s["peering"] == identity]


@pytest.fixture
def verdicts(caplog: pytest.LogCaptureFixture) -> Verdicts:
    """What the log announces during a test."""
    caplog.set_level(logging.INFO, LOG)
    return Verdicts(caplog)


def names_of(deployment: Deployment, status: Status) -> dict[str, str]:
    """What the placeholders of the document stand for."""
    facts, cloud = cast("dict[str, str]", status["facts"]), deployment.cloud
    return {
        "project_vpc": AivenVpc.of(status["peering"]).id,
        "project_cidr": facts["project_network_cidr"],
        "vnet": facts["vnet_id"],
        "vnets": facts["vnet_id"].rpartition("/")[0],
        "group": facts["vnet_id"].partition("/providers/")[0],
        "network": facts["to_network_id"],
        "application": facts["application_id"],
        "principal": facts["user_principal_id"],
        "role": facts["user_role_id"],
        "platform_application": PLATFORM_APP,
        "platform_principal": facts["platform_principal_id"],
        "platform_role": facts["platform_role_id"],
        "customer_tenant": facts["tenant_id"],
        "secret": facts["secret_name"],
        "vault": cloud.world.vaults[cloud.landscape.vault].id,
        "storage_account": cloud.environment["REGISTRY_STORAGE_ACCOUNT_ID"],
        "automation": cloud.landscape.automation.id,
    }


def inject(deployment: Deployment, row: Row, status: Status) -> None:
    """Make a row's changes of a peering: events and knobs, one after the other."""
    for change in filled(CHANGES[row["What happened"]], names_of(deployment, status)):
        if "knobs" in change:
            deployment.knobs(**change["knobs"])
        else:
            deployment.event(**change)


def changes_what_is_shared(changes: Sequence[Change]) -> bool:
    """Whether changes concern a role or a whole project VPC, which the peering then must not share with others."""
    roles = any(change.get("kind") == "change-role-definition" for change in changes)
    return roles or any("project_vpc_id" in change and "vnet_id" not in change for change in changes)


def follow(deployment: Deployment, row: Row, before: Status, verdicts: Verdicts) -> None:
    """Check a peering to which something has happened, and compare all that comes of it with the row."""
    after = deployment.check(before["id"])
    found = [announced for announced in verdicts.of(before["id"]) if announced[0] == "healthy"]
    codes = code_spans(row["Problem codes"])
    if "organization_vpc_id" in before["peering"]:
        # The right that is lacking is another one.
        codes = [code.replace("aiven-not-permitted", "aiven-organization-not-permitted") for code in codes]
    assert found == [("healthy", row["Verdict"], codes)]
    assert repairs(deployment, before, after) == [row["Repair"]], (after["runs"], deployment.writes())
    assert after["health"]["verdict"] == row["Verdict afterwards"], after["health"]
    assert row["Repair"] != "none" or deployment.writes() == []


def of(rows: list[Row]) -> pytest.MarkDecorator:
    """One test for each row."""
    return each(rows, "What happened", CHANGES)


# A deployment of its own replaces the process's environment, so these come before the cloud that the others share.


@of(ALL_AT_ONCE)
def test_what_happens_to_all_peerings_at_once(deployment: Deployment, row: Row, verdicts: Verdicts) -> None:
    before = Ground(deployment).connect()
    inject(deployment, row, before)
    follow(deployment, row, before, verdicts)


@of([row for row in INJECTED if row not in ALL_AT_ONCE])
def test_what_happens_to_one_peering(ground: Ground, row: Row, verdicts: Verdicts) -> None:
    before = ground.connect(alone=changes_what_is_shared(CHANGES[row["What happened"]]))
    inject(ground.deployment, row, before)
    try:
        follow(ground.deployment, row, before, verdicts)
    finally:
        ground.deployment.knobs(**SCENARIO.model_dump())


def _connection(world: World, names: dict[str, str]) -> Connection:
    wanted = names["vnet"].lower()
    return next(connection for _, connection in world.connections() if connection.vnet_id.lower() == wanted)


def show_an_unknown_state(world: World, names: dict[str, str]) -> None:
    """Aiven has an unknown state."""
    _connection(world, names).state = "SOMETHING_NEW"


def name_another_tenant(world: World, names: dict[str, str]) -> None:
    """The connection was requested with a tenant that is not the customer's."""
    _connection(world, names).tenant_id = world.guid()


def spell_it_in_capitals(world: World, names: dict[str, str]) -> None:
    """The connection was requested with a VNet's name that is not in lower case."""
    connection = _connection(world, names)
    connection.vnet = connection.vnet.upper()


def part_the_sides(world: World, names: dict[str, str]) -> None:
    """Azure has not joined the two sides of the VNet peering."""
    _side(world, names).state = "Initiated"


def _side(world: World, names: dict[str, str]) -> VNetPeering:
    return world.vnets[names["vnet"].lower()].peerings[0]


def give_the_role_again(world: World, names: dict[str, str]) -> None:
    """Assign the application its role on the VNet again, as it was."""
    role = world.role(names["role"])
    assert role is not None
    name = role_assignment_name(names["vnet"], role.name, names["principal"])
    world.assign(name, names["vnet"], role, names["principal"])


#: What sets each of these by hand, and the options that its peering is requested with.
HANDS: Final[dict[str, tuple[Callable[[World, dict[str, str]], None], dict[str, object]]]] = {
    "connection-state-unknown": (show_an_unknown_state, {}),
    "connection-wrong-tenant": (name_another_tenant, {}),
    "connection-name-case": (spell_it_in_capitals, {}),
    "peering-not-connected": (part_the_sides, {}),
    "user-rights-not-released": (give_the_role_again, {"privilege": "setup-only"}),
}


@of(BY_HAND)
def test_what_no_event_brings_about(ground: Ground, row: Row, verdicts: Verdicts) -> None:
    (code,) = code_spans(row["Problem codes"])
    change, options = HANDS[code]
    before = ground.connect(options)
    change(ground.deployment.cloud.world, names_of(ground.deployment, before))
    follow(ground.deployment, row, before, verdicts)


def test_every_kind_of_drift_is_in_the_document() -> None:
    text = (DOCS / "drift.md").read_text(encoding="utf-8")
    assert set(DRIFT) - set(re.findall(r"`([a-z-]+)`", text)) == set()
    tested = {code for row in (*INJECTED, *BY_HAND) for code in code_spans(row["Problem codes"])}
    assert set(DRIFT) - tested == {"federated-credential-missing"}


def test_what_a_repair_did_not_help_waits_until_it_has_been_seen_to_be_gone(ground: Ground) -> None:
    deployment, before = ground.deployment, ground.connect(alone=True)
    names = names_of(deployment, before)
    changed = {"kind": "change-project-cidr", "project_vpc_id": names["project_vpc"], "cidr": "10.99.0.0/20"}
    refused = {"host": "management.azure.com", "method": "PUT", "status": 400, "code": "BadRequest", "times": 1}
    deployment.knobs(faults=[refused])
    deployment.event(**changed)
    tried = deployment.check(before["id"])
    assert len(tried["runs"]) == len(before["runs"]) + 1
    assert "peering-not-in-sync" in [found["code"] for found in tried["health"]["problems"]]
    # It was ended by a problem.
    assert not any("repaired" in found for found in tried["health"]["problems"])
    assert deployment.check(before["id"])["runs"] == tried["runs"]
    deployment.knobs(faults=[])
    deployment.event(**{**changed, "cidr": names["project_cidr"]})
    assert deployment.check(before["id"])["health"]["verdict"] == "healthy"
    deployment.event(**changed)
    assert len(deployment.check(before["id"])["runs"]) == len(tried["runs"]) + 1


def test_with_repair_off_it_is_reported_only(ground: Ground) -> None:
    deployment, before = ground.deployment, ground.connect({"repair": "off"})
    names = names_of(deployment, before)
    deployment.event(kind="delete-vnet-peering", vnet_id=names["vnet"], remote_id=names["network"])
    after = deployment.check(before["id"])
    assert (after["health"]["verdict"], after["runs"]) == ("broken", before["runs"])
    assert deployment.writes() == []


def test_several_findings_are_repaired_by_one_check_and_the_credential_first(ground: Ground) -> None:
    deployment, before = ground.deployment, ground.connect()
    names = names_of(deployment, before)
    deployment.event(kind="disable-secret", name=names["secret"])
    deployment.event(kind="remove-role-assignments", principal_id=names["platform_principal"], scope=names["vnet"])
    deployment.event(kind="remove-role-assignments", principal_id=names["principal"], scope=names["vnet"])
    after = deployment.check(before["id"])
    assert after["health"]["verdict"] == "healthy"
    assert [run["operation"] for run in after["runs"]] == ["establish", "rotate", "repair"]


def test_a_service_principal_that_was_recreated_gets_the_role(ground: Ground) -> None:
    deployment, before = ground.deployment, ground.connect()
    names, world = names_of(deployment, before), ground.deployment.cloud.world
    application = world.application(names["application"])
    assert application is not None
    deployment.event(kind="delete-service-principal", app_id=names["application"], tenant_id=names["customer_tenant"])
    made = world.add_principal(application, names["customer_tenant"])
    after = deployment.check(before["id"])
    assert after["health"]["verdict"] == "healthy", after["health"]
    assert after["facts"]["user_principal_id"] == made.id
