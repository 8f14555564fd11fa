"""A rotation that fails or is ended halfway: a credential that works stays, and it is the one that the app uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.cloud.world.world import Application, SecretVersion
from local.deployment import Deployment, Status, deploy
from local.host import Hostility
from orchestrators.lost import MOST_LOST
from peering.naming import secret_name
from peering.runs import FUNCTION_TIMEOUT
from tests.workflows.cloud_objects import application_of
from tests.workflows.lost_calls import LostCalls
from tests.workflows.plans import actions, plan
from tests.workflows.sweeping import sweep, until_swept
from tests.workflows.waiting import NEVER, soon, while_waiting

LOGIN = "login.microsoftonline.com"
#: A password that is not accepted is given up soon.
DEADLINE = {"PROPAGATION_DEADLINE_MINUTES": "2"}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The app against a cloud without delays, with little patience."""
    with deploy(tmp_path, settings=DEADLINE) as deployed:
        yield deployed


def wait(deployment: Deployment, seconds: float = 2) -> None:
    """Let time pass: the vault counts in whole seconds."""
    clock = deployment.virtual_clock
    clock.advance_to(clock.now() + timedelta(seconds=seconds))


def record(deployment: Deployment, status: Status) -> dict[str, Any]:
    """The peering as the registry keeps it."""
    return deployment.record(status["id"])


def version_in_use(deployment: Deployment, status: Status) -> SecretVersion:
    """The version of the secret that the registry names."""
    facts = record(deployment, status)["facts"]
    (vault,) = deployment.cloud.world.vaults.values()
    return next(v for v in vault.secrets[facts["secret_name"]] if v.version == facts["secret_version"])


def accepted(deployment: Deployment, application: Application) -> list[str]:
    """The texts of the passwords that Entra takes."""
    now = deployment.cloud.world.now
    return [p.text for p in application.passwords if p.accepted_at <= now < p.ends]


@contextmanager
def never_without_password(deployment: Deployment, application: Application) -> Iterator[None]:
    """Look all the time whether at least one password is accepted."""
    seen, stop = [len(accepted(deployment, application))], Event()

    def watch() -> None:
        while not stop.wait(0.002):
            seen.append(len(accepted(deployment, application)))

    watching = Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join()
    assert min(seen) >= 1


def test_the_password_in_use_outlives_a_candidate_that_could_be_neither_proven_nor_discarded(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    application = application_of(deployment, status["facts"]["application_id"])
    (old,) = application.passwords
    fault = {"host": "graph.microsoft.com", "method": "POST", "path": "removePassword", "status": 403, "times": 9999}
    deployment.knobs(secret_accepted=NEVER, faults=[fault])
    wait(deployment)
    with never_without_password(deployment, application):
        assert deployment.rotate(status["id"])["runs"][-1]["state"] == "failed"
        assert len(application.passwords) == 2
        deployment.knobs(faults=[])
        wait(deployment)
        assert deployment.until(status["id"])["runs"][-1]["state"] == "failed"
        assert accepted(deployment, application) == [old.text]
        assert version_in_use(deployment, status).value == old.text
        deployment.check(status["id"])
        assert len(application.passwords) == 2, "a credential that a call may still be using was removed"
        wait(deployment, 2 * FUNCTION_TIMEOUT.total_seconds())
        sweep(deployment)
        until_swept(deployment)
        assert deployment.until(status["id"])["health"]["verdict"] == "healthy"
        assert application.passwords == [old]
        deployment.knobs(secret_accepted=0)
        wait(deployment)
        assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    (new,) = application.passwords
    assert new.key_id != old.key_id
    assert version_in_use(deployment, status).value == new.text
    assert deployment.check(status["id"])["health"]["verdict"] == "healthy"


def test_the_password_in_use_outlives_a_rotation_that_was_terminated(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    application = application_of(deployment, status["facts"]["application_id"])
    (old,) = application.passwords
    deployment.knobs(secret_accepted=NEVER, latency=0.05)
    wait(deployment)
    with never_without_password(deployment, application):
        deployment.api.post(f"/api/peerings/{status['id']}/rotate").raise_for_status()
        while_waiting(deployment, status["id"], "prove_credential")
        deployment.terminate(status["id"])
        assert len(application.passwords) == 2
        deployment.knobs(latency=0)
        wait(deployment)
        assert deployment.until(status["id"])["runs"][-1]["state"] == "failed"
        assert accepted(deployment, application) == [old.text]
        assert version_in_use(deployment, status).value == old.text
        deployment.knobs(secret_accepted=0)
        wait(deployment)
        assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    assert [p.text for p in application.passwords] == [version_in_use(deployment, status).value]


def test_a_start_after_a_cancelled_rotation_goes_on_with_the_password_in_use(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    application = application_of(deployment, status["facts"]["application_id"])
    (old,) = application.passwords
    deployment.knobs(secret_accepted=NEVER, latency=0.05)
    wait(deployment)
    deployment.api.post(f"/api/peerings/{status['id']}/rotate").raise_for_status()
    while_waiting(deployment, status["id"], "prove_credential")
    deployment.api.post(f"/api/peerings/{status['id']}/cancel").raise_for_status()
    deployment.until(status["id"])
    assert [p.text for p in application.passwords] == [old.text]
    deployment.knobs(latency=0)
    deployment.event(
        kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
    )
    again = deployment.settle()
    assert again["state"] == "connected", again.get("problem")
    assert old.text in accepted(deployment, application)
    assert version_in_use(deployment, status).value == old.text


def test_a_failed_rotation_leaves_a_verdict_on_the_password_in_use(deployment: Deployment) -> None:
    status = deployment.settle()
    deployment.check(status["id"])
    deployment.knobs(secret_accepted=NEVER)
    wait(deployment)
    after = deployment.rotate(status["id"])
    assert (after["state"], after["runs"][-1]["state"]) == ("connected", "failed")
    assert (after["health"]["verdict"], after["health"]["problems"]) == ("healthy", [])
    wait(deployment)
    checked = deployment.check(status["id"])
    assert (checked["health"]["verdict"], checked["operation"]) == ("healthy", "rotate")
    assert len(checked["runs"]) == len(after["runs"])


def test_a_rotation_that_fails_while_it_retires_the_old_password_goes_on_with_the_proven_one(
    deployment: Deployment,
) -> None:
    status = deployment.settle()
    deployment.check(status["id"])
    application = application_of(deployment, status["facts"]["application_id"])
    (old,) = application.passwords
    forbidden = {"host": r".*vault\.azure\.net", "method": "PATCH", "status": 403, "code": "Forbidden", "times": 9999}
    deployment.knobs(faults=[forbidden])
    wait(deployment)
    after = deployment.rotate(status["id"])
    assert after["state"] == "connected"
    deployment.knobs(faults=[])
    in_use = version_in_use(deployment, status).value
    assert in_use != old.text
    assert in_use in accepted(deployment, application)
    deployment.event(
        kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
    )
    repaired = deployment.check(status["id"])
    assert (repaired["runs"][-1]["operation"], repaired["runs"][-1]["state"]) == ("repair", "connected")
    assert repaired["health"]["verdict"] == "healthy", repaired["health"]
    wait(deployment)
    assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
    (vault,) = deployment.cloud.world.vaults.values()
    (versions,) = vault.secrets.values()
    assert [v.enabled for v in versions] == [False] * (len(versions) - 1) + [True]


@pytest.mark.parametrize("wanted", ["secret", "federated"])
def test_a_rotation_that_is_begun_again_keeps_the_credential_that_it_has_proven(tmp_path: Path, wanted: str) -> None:
    losses = LostCalls()
    with federated(tmp_path, losses) as deployment:
        status = deployment.settle()
        application = application_of(deployment, status["facts"]["application_id"])
        (old,) = application.passwords
        # An execution gives up when five calls in a row are lost; the next one cannot prove the candidate any more.
        losses.to_lose["conclude_order"] = MOST_LOST + 1
        refused = {"host": LOGIN, "method": "POST", "path": "/oauth2/", "status": 401, "code": "invalid_client"}
        losses.on_first = lambda: deployment.knobs(faults=[{**refused, "times": NEVER}])
        after = deployment.rotate(status["id"], credential=wanted)
        assert (after["runs"][-1]["state"], old in application.passwords) == ("failed", False)
        assert len(application.passwords) + len(application.federated) == 1
        deployment.knobs(faults=[])
        assert deployment.check(status["id"])["health"]["verdict"] == "healthy"


def test_a_rotation_that_is_cancelled_leaves_the_credential_in_use_and_nothing_to_do(deployment: Deployment) -> None:
    status = deployment.settle()
    wait(deployment)
    deployment.knobs(secret_accepted=NEVER)
    deployment.api.post(f"/api/peerings/{status['id']}/rotate").raise_for_status()
    deployment.virtual_clock.held = True
    while_waiting(deployment, status["id"], "prove_credential")
    deployment.api.post(f"/api/peerings/{status['id']}/cancel").raise_for_status()
    deployment.virtual_clock.held = False
    deployment.until(status["id"])
    (vault,) = deployment.cloud.world.vaults.values()
    (versions,) = vault.secrets.values()
    assert [version.enabled for version in versions] == [True, False]
    assert actions(plan(deployment))["application_credential"] == "find"


@pytest.mark.parametrize(("before", "wanted"), [("federated", "secret"), ("secret", "federated"), ("secret", "secret")])
def test_a_rotation_that_is_interrupted_and_cancelled_leaves_the_credential_that_it_has_proven(
    tmp_path: Path, before: str, wanted: str
) -> None:
    losses = LostCalls()
    with federated(tmp_path, losses) as deployment:
        status = deployment.settle(credential=before)
        identity = status["id"]
        deployment.until_ended(identity)
        # The execution gives up before it has recorded what it has proven.
        losses.to_lose["conclude_order"] = MOST_LOST + 1
        deployment.virtual_clock.held = True
        deployment.api.post(f"/api/peerings/{identity}/rotate", json={"credential": wanted}).raise_for_status()
        soon(deployment, lambda: bool(losses.lost))
        deployment.api.post(f"/api/peerings/{identity}/cancel").raise_for_status()
        deployment.virtual_clock.held = False
        deployment.until(identity)
        application = application_of(deployment, status["facts"]["application_id"])
        left = len(application.passwords), len(application.federated)
        assert left == ((0, 1) if wanted == "federated" else (1, 0))
        deployment.check(identity)
        deployment.until_ended(identity)
        assert deployment.check(identity)["health"]["verdict"] == "healthy"


@contextmanager
def federated(directory: Path, hostile: Hostility | None = None) -> Iterator[Deployment]:
    """The app as its managed identity."""
    with LocalCloud("quick", directory / "probe", seed=1) as probe:
        client = probe.environment["MANAGED_IDENTITY_CLIENT_ID"]
    settings = {
        "AZURE_CREDENTIAL": "managed-identity",
        "AZURE_CLIENT_ID": client,
        "AZURE_CLIENT_SECRET": "",
        **DEADLINE,
    }
    with deploy(directory, settings=settings, hostile=hostile) as deployed:
        yield deployed


@pytest.mark.parametrize("times", [2, 9999])
def test_a_rotation_that_fails_between_federated_credentials_leaves_the_one_in_use(tmp_path: Path, times: int) -> None:
    with federated(tmp_path) as deployment:
        status = deployment.settle(credential="federated")
        application = application_of(deployment, status["facts"]["application_id"])
        (trusted,) = application.federated
        fault = {"host": LOGIN, "method": "POST", "path": "/oauth2/", "status": 401, "code": "invalid_client"}
        deployment.knobs(faults=[{**fault, "times": times}])
        after = deployment.rotate(status["id"])
        deployment.knobs(faults=[])
        assert after["state"] == "connected"
        assert [(f.subject, f.issuer) for f in application.federated] == [(trusted.subject, trusted.issuer)]
        assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
        deployment.event(
            kind="delete-vnet-peering", vnet_id=status["facts"]["vnet_id"], remote_id=status["facts"]["to_network_id"]
        )
        assert deployment.check(status["id"])["health"]["verdict"] == "healthy"
        assert deployment.rotate(status["id"])["runs"][-1]["state"] == "rotated"
        assert (len(application.federated), len(application.passwords)) == (1, 0)


def test_a_rotation_to_a_federated_credential_that_fails_leaves_the_password(tmp_path: Path) -> None:
    with federated(tmp_path) as deployment:
        status = deployment.settle()
        application = application_of(deployment, status["facts"]["application_id"])
        kept = [password.key_id for password in application.passwords]
        deployment.knobs(secret_accepted=NEVER)
        after = deployment.rotate(status["id"], credential="federated")
        assert (after["runs"][-1]["state"], after["peering"]["credential"]) == ("failed", "secret")
        assert [password.key_id for password in application.passwords] == kept
        assert application.federated == []
        assert after["health"]["verdict"] == "healthy"


def test_passwords_of_earlier_calls_stay_until_the_candidate_is_proven(tmp_path: Path) -> None:
    with federated(tmp_path) as deployment:
        status = deployment.settle(credential="federated")
        application, world = application_of(deployment, status["facts"]["application_id"]), deployment.cloud.world
        # Nothing tells whether it is in use.
        earlier = world.add_password(application, f"{secret_name(status['id'])} 00000000", world.after(10**7))
        deployment.knobs(secret_accepted=NEVER, latency=0.05)
        wait(deployment)
        deployment.api.post(f"/api/peerings/{status['id']}/rotate", json={"credential": "secret"}).raise_for_status()
        while_waiting(deployment, status["id"], "prove_credential")
        assert earlier in application.passwords
        assert len(application.passwords) == 2
        deployment.knobs(latency=0)
        assert deployment.until(status["id"])["runs"][-1]["state"] == "failed"
