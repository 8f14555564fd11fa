"""No password at all: the app's managed identity as the created application's federated credential."""

from collections.abc import Iterator

import pytest

from local.deployment import Deployment, Status, deploy
from tests.workflows.cloud_objects import application_of, passwords_of
from tests.workflows.managed_identity import as_identity


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, hostile: int | None) -> Iterator[Deployment]:
    """The app as its managed identity."""
    directory = tmp_path_factory.mktemp("federated")
    with deploy(directory, settings=as_identity(directory), hostile=hostile) as deployment:
        yield deployment


@pytest.fixture
def vnet_id(shared: Deployment, request: pytest.FixtureRequest) -> str:
    """One VNet for each test, by the test's place in this module."""
    ids = shared.cloud.vnet_ids
    place: int = request.node.session.items.index(request.node)
    return ids[place % len(ids)]


def held(deployment: Deployment, status: Status) -> tuple[int, int, bool]:
    """How many passwords and federated credentials the application has, and whether the vault has a secret."""
    application = application_of(deployment, status["facts"]["application_id"])
    vault = next(iter(deployment.cloud.world.vaults.values()))
    name = f"aiven-peering-{status['id']}"
    passwords = passwords_of(deployment, status)
    return len(passwords), len(application.federated), any(v.enabled for v in vault.secrets.get(name, []))


@pytest.mark.life
def test_it_connects_without_any_password(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id, credential="federated")
    assert status["state"] == "connected", status.get("problem")
    assert held(shared, status) == (0, 1, False)
    assert shared.check(status["id"])["health"]["verdict"] == "healthy"
    assert shared.remove(status["id"])["state"] == "removed"


@pytest.mark.life
def test_a_live_peering_goes_from_one_kind_to_the_other_and_back(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id)
    assert held(shared, status) == (1, 0, True)
    federated = shared.rotate(status["id"], credential="federated")
    assert (federated["runs"][-1]["state"], federated["peering"]["credential"]) == ("rotated", "federated"), federated
    assert held(shared, status) == (0, 1, False)
    assert federated["health"]["verdict"] == "healthy"
    shared.event(kind="delete-vnet-peering", vnet_id=vnet_id, remote_id=status["facts"]["to_network_id"])
    assert shared.check(status["id"])["health"]["verdict"] == "healthy"
    back = shared.rotate(status["id"], credential="secret")
    assert (back["runs"][-1]["state"], back["peering"]["credential"]) == ("rotated", "secret"), back
    assert held(shared, status) == (1, 0, True)


def test_an_application_that_was_deleted_is_given_no_federated_credential(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id, repair="off")
    shared.event(kind="delete-application", app_id=status["facts"]["application_id"])
    run = shared.rotate(status["id"], credential="federated")["runs"][-1]
    shared.event(kind="restore-application", app_id=status["facts"]["application_id"])
    assert (run["state"], run["problem"]["code"]) == ("failed", "application-missing")


def test_the_kind_is_changed_by_a_rotation_and_not_by_the_way(shared: Deployment, vnet_id: str) -> None:
    status = shared.settle(vnet_id=vnet_id)
    shared.rotate(status["id"], credential="federated")
    again = shared.settle(vnet_id=vnet_id)
    assert (again["state"], again["peering"]["credential"]) == ("connected", "federated")
    assert held(shared, status) == (0, 1, False)
