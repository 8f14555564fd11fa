"""Why the app's own identity cannot sign in is told by a problem of its own, with who can fix it and how."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from clients.credentials import automation_credential
from clients.settings import settings
from local.clock import VirtualClock
from local.cloud import LocalCloud
from local.deployment import deploy_to

UNKNOWN = "00000000-0000-4000-8000-000000000000"
_OPERATOR, _ADMINISTRATOR = "the operator of this app", "an Entra administrator"


def _happen(kind: str, **given: str) -> Callable[[LocalCloud], dict[str, str]]:
    """Something happens to the identity before the app begins."""

    def happen(cloud: LocalCloud) -> dict[str, str]:
        from local.cloud.events import EVENTS

        EVENTS[kind](cloud.world, app_id=cloud.environment["AZURE_CLIENT_ID"], **given)
        return {}

    return happen


def _disable(cloud: LocalCloud) -> dict[str, str]:
    return _happen("disable-service-principal", tenant_id=cloud.landscape.customer_tenant)(cloud)


def _forget_principal(cloud: LocalCloud) -> dict[str, str]:
    return _happen("delete-service-principal", tenant_id=cloud.landscape.customer_tenant)(cloud)


def _refuse(number: int) -> Callable[[LocalCloud], dict[str, str]]:
    """Entra answers with a number that nothing in the local cloud leads to."""

    def refuse(cloud: LocalCloud) -> dict[str, str]:
        from local.cloud.scenario import Fault

        text = f"AADSTS{number}: Access has been blocked. Trace ID: t"
        body: Any = {"error": "invalid_grant", "error_description": text, "error_codes": [number]}
        fault = Fault(host=r"login\.microsoftonline\.com", path="/oauth2/", status=400, body=body, times=1000)
        cloud.world.knobs.faults.append(fault)
        return {}

    return refuse


#: What is wrong: the settings that it takes or what happens to the identity, the problem, and who fixes it.
CASES: Final[dict[str, tuple[Callable[[LocalCloud], dict[str, str]], str, str]]] = {
    "the secret has ended": (_happen("expire-passwords"), "automation-secret-expired", _OPERATOR),
    "the secret is another's": (
        lambda _: {"AZURE_CLIENT_SECRET": "another"},
        "automation-secret-invalid",
        _OPERATOR,
    ),
    "the application is unknown": (lambda _: {"AZURE_CLIENT_ID": UNKNOWN}, "automation-not-in-tenant", _OPERATOR),
    "its principal is gone": (_forget_principal, "automation-not-in-tenant", _OPERATOR),
    "the tenant is unknown": (lambda _: {"AZURE_TENANT_ID": UNKNOWN}, "automation-tenant-not-found", _OPERATOR),
    "it is switched off": (_disable, "automation-disabled", _ADMINISTRATOR),
    "a restriction keeps it out": (_refuse(500021), "automation-kept-out", _ADMINISTRATOR),
    "conditional access blocks it": (_refuse(53003), "automation-conditional-access", _ADMINISTRATOR),
    "security defaults block it": (_refuse(530035), "automation-conditional-access", _ADMINISTRATOR),
    "an unknown number": (_refuse(999999), "automation-sign-in-failed", _OPERATOR),
}


@pytest.mark.parametrize("what", CASES)
def test_why_it_cannot_sign_in_is_told(tmp_path: Path, what: str) -> None:
    happen, code, fixer = CASES[what]
    clock = VirtualClock()
    with LocalCloud("quick", tmp_path / "cloud", clock=clock, seed=1) as cloud:
        settings = happen(cloud)
        with deploy_to(cloud, tmp_path / "app", clock, settings=settings) as deployment:
            problem = deployment.api.post("/api/peerings", json=deployment.request()).json()
    assert (problem["code"], problem["fixable_by"]) == (code, fixer), problem["detail"]
    assert "The app's own identity (service-principal" in problem["detail"]
    assert "AADSTS" in problem["detail"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_managed_identity_whose_endpoint_is_being_updated_is_waited_for(tmp_path: Path, status: int) -> None:
    clock = VirtualClock()
    with LocalCloud("quick", tmp_path / "cloud", clock=clock, seed=1) as cloud:
        client_id = cloud.environment["MANAGED_IDENTITY_CLIENT_ID"]
        settings = {"AZURE_CREDENTIAL": "managed-identity", "AZURE_CLIENT_ID": client_id}
        with deploy_to(cloud, tmp_path / "app", clock, settings=settings) as deployment:
            deployment.knobs(faults=[{"path": "^/msi/token$", "status": status, "times": 1000}])
            refused = deployment.api.post("/api/peerings", json=deployment.request())
            assert refused.status_code == 503, refused.text
            assert refused.json()["code"] == "registry-unavailable", refused.text
            deployment.knobs(faults=[])
            assert deployment.settle()["state"] == "connected"


def test_whoever_closes_the_apps_own_identity_takes_no_token_from_the_others(cloud: LocalCloud) -> None:
    async def ask() -> list[str]:
        scope = settings().cloud.resource_manager_scope
        automation_credential().forget()
        async with automation_credential() as own:
            first = await own.get_token(scope)
        return [first.token, (await automation_credential().get_token(scope)).token]

    before = len(cloud.requests)
    first, second = asyncio.run(ask())
    assert first == second
    assert len([one for one in cloud.requests[before:] if one.path.endswith("/token")]) == 1


def test_the_endpoint_of_a_managed_identity_that_repeats_the_request_tells_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    with LocalCloud("quick", tmp_path / "cloud", clock=clock, seed=1) as cloud:
        client_id = cloud.environment["MANAGED_IDENTITY_CLIENT_ID"]
        settings = {"AZURE_CREDENTIAL": "managed-identity", "AZURE_CLIENT_ID": client_id}
        with deploy_to(cloud, tmp_path / "app", clock, settings=settings) as deployment, caplog.at_level(logging.INFO):
            deployment.knobs(faults=[{"path": "^/msi/token$", "status": 403, "echo": True, "times": 1000}])
            answer = deployment.api.post("/api/peerings", json=deployment.request())
    assert answer.json()["code"] == "automation-sign-in-failed", answer.text
    assert cloud.environment["IDENTITY_HEADER"] not in answer.text + caplog.text
