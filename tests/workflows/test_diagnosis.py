"""Every row of docs/diagnosis.md: a connection fails or is stuck, and what stands behind it is named."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from local.cloud import Scenario
from local.cloud.world.world import PLATFORM_APP, Connection
from local.deployment import Deployment, Status, deploy
from peering.aiven_vpc import Kind
from tests.workflows.document_events import Change, changes_of, filled, mention
from tests.workflows.document_rows import each
from tests.workflows.markdown_tables import Row, code_spans, table

pytestmark = pytest.mark.both_kinds

ROWS: Final = table("diagnosis.md", "Cause", "Aiven's state", "Named as", "Who can fix it")
CHANGES: Final = changes_of(ROWS, "Cause", "diagnosis_events.json")
SCENARIO: Final = Scenario.model_validate({"vnets": 40, "project_vpcs": 40})
#: Little patience: that of a day is tested elsewhere.
SETTINGS: Final = {"PLATFORM_DEADLINE_HOURS": "0.5"}
_LONG: Final = 1000
#: A row that names what all peerings of a tenant share gets a cloud of its own.
OF_ALL: Final = [row for row in ROWS if mention(CHANGES[row["Cause"]], "$platform_application")]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Deployment]:
    """A cloud for one test."""
    with deploy(tmp_path, Scenario(), settings=SETTINGS) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory, aiven_vpc: Kind) -> Iterator[Deployment]:
    """One cloud with a VNet and a project VPC for each test."""
    with deploy(tmp_path_factory.mktemp("common"), SCENARIO, settings=SETTINGS) as deployed:
        yield deployed


def of(rows: list[Row]) -> pytest.MarkDecorator:
    """One test for each row."""
    return each(rows, "Cause", CHANGES)


class Case:
    """One run towards a connection that is to fail; it stands still until what is to happen has happened.

    Args:
        deployment: the app and its cloud.
        number: which VNet and project VPC to take.
    """

    def __init__(self, deployment: Deployment, number: int) -> None:
        self.deployment, world = deployment, deployment.cloud.world
        customer = deployment.cloud.landscape.subscription
        self.vnet = [vnet for vnet in world.vnets.values() if vnet.subscription_id == customer][number]
        self.vpc = list(world.vpcs.values())[number]
        deployment.knobs(approved=_LONG)
        deployment.virtual_clock.held = True
        self.identity = deployment.start(vnet_id=self.vnet.id, vpc=self.vpc.id, platform_role_name=f"platform {number}")
        self.names = self._names(self.until("pending_peer"))

    def _names(self, status: Status) -> dict[str, str]:
        """What the placeholders of the document stand for."""
        return {
            "project_vpc": self.vpc.id,
            "project_cidr": self.vpc.cidr,
            "network": self.vpc.network.id,
            "vnet": self.vnet.id,
            "vnets": self.vnet.id.rpartition("/")[0],
            "application": status["facts"]["application_id"],
            "platform_application": PLATFORM_APP,
            "principal": status["facts"]["user_principal_id"],
            "platform_principal": status["facts"]["platform_principal_id"],
            "platform_role": status["facts"]["platform_role_id"],
            "customer_tenant": status["facts"]["tenant_id"],
        }

    def until(self, step: str) -> Status:
        """Wait until the run waits at a step.

        Raises:
            TimeoutError: it does not get there.
        """
        deadline = time.monotonic() + 20 * self.deployment.patience
        while time.monotonic() < deadline:
            status = self.deployment.status(self.identity)
            if any(s["name"] == step and s["state"] == "waiting" for s in status["steps"]):
                return status
            time.sleep(0.1)
        raise TimeoutError(f"the run does not wait at {step}: {status}")

    def produce(self, changes: Sequence[Change]) -> Status:
        """Make these changes, then let the platform build; returns how the run ended."""
        for change in filled(changes, self.names):
            self._do(change)
        if not mention(changes, "approved"):
            self.deployment.knobs(approved=0)
        self.deployment.virtual_clock.held = False
        return self.deployment.until(self.identity)

    def _do(self, given: Change) -> None:
        if "until" in given:
            self.deployment.knobs(approved=0)
            self.until(given["until"])
        elif "connection" in given:
            for name, value in given["connection"].items():
                setattr(self._connection, name, value)
        elif "knobs" in given:
            self.deployment.knobs(**given["knobs"])
        else:
            self.deployment.event(**given)

    @property
    def _connection(self) -> Connection:
        (connection,) = self.vpc.connections
        return connection

    @property
    def state(self) -> str:
        """The connection's state, as Aiven shows it."""
        held = self.deployment.cloud_state()["peeringConnections"]
        return next(str(c["state"]) for c in held if self.vpc.id in c.values())


def diagnose(case: Case, row: Row) -> None:
    """Let a row's connection fail, and compare what is named with the row."""
    status = case.produce(CHANGES[row["Cause"]])
    assert status["state"] == "failed"
    named = status["problem"].get("causes") or [status["problem"]]
    assert [cause["code"] for cause in named] == code_spans(row["Named as"])
    assert named[0]["fixable_by"] == row["Who can fix it"]
    assert named[0]["remedy"]
    assert [case.state] == code_spans(row["Aiven's state"])


# A deployment of its own replaces the process's environment, so these come before the cloud that the others share.


@of(OF_ALL)
def test_a_cause_that_concerns_all_peerings_is_named(own: Deployment, row: Row) -> None:
    diagnose(Case(own, 0), row)


@of([row for row in ROWS if row not in OF_ALL])
def test_the_cause_is_named(common: Deployment, row: Row) -> None:
    try:
        diagnose(Case(common, ROWS.index(row)), row)
    finally:
        common.knobs(**SCENARIO.model_dump())
