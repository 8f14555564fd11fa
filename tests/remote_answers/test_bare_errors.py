"""Errors that are a text where the service's own documents have an object: what stands before a service answers so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from activities.remote_errors import occurrence_of
from clients.remote_errors import is_absence
from local.cloud import LocalCloud
from local.cloud.scenario import Fault
from peering.problems.remote_codes import Identity, Service
from tests.remote_answers.asking import ASK

_BODIES: Final[dict[str, Any]] = {
    "a text": {"error": "The door is shut."},
    "a word and a text": {"error": "invalid_request", "error_description": "The door is shut."},
}
_SERVICES: Final[tuple[Service, ...]] = ("Azure Resource Manager", "Microsoft Graph", "Azure Key Vault")


def refused(cloud: LocalCloud, service: Service, status: int, body: object) -> Exception:
    """What a service's client raises for an answer."""
    host, ask = ASK[service]
    cloud.world.knobs.faults = [Fault.model_validate({"host": host, "status": status, "body": body, "times": 100})]
    return asyncio.run(_refusal(ask))


async def _refusal(ask: Callable[[Identity], Awaitable[object]]) -> Exception:
    try:
        await ask("automation")
    except Exception as error:
        return error
    raise AssertionError("it is taken for no refusal at all")


@pytest.mark.parametrize("body", _BODIES)
@pytest.mark.parametrize("service", _SERVICES)
def test_a_refusal_of_such_a_shape_is_told_in_its_own_words(cloud: LocalCloud, service: Service, body: str) -> None:
    occurrence = occurrence_of(refused(cloud, service, 400, _BODIES[body]))
    assert occurrence is not None
    assert (occurrence["code"], occurrence["remote"]["service"]) == ("remote-refused", service)
    assert "The door is shut." in occurrence["detail"]


@pytest.mark.parametrize("body", _BODIES)
@pytest.mark.parametrize("service", _SERVICES)
def test_such_an_answer_is_no_proof_that_a_thing_is_not_there(cloud: LocalCloud, service: Service, body: str) -> None:
    error = refused(cloud, service, 404, _BODIES[body])
    occurrence = occurrence_of(error)
    assert occurrence is not None
    assert (is_absence(error), occurrence["code"]) == (False, "remote-unavailable")


#: A 404 of a gateway that answers in JSON: no service names a missing thing without a code, and Aiven lists its errors.
_GATEWAYS: Final[dict[str, Any]] = {
    "a message alone": {"message": "no Route matched with those values"},
    "an error without a code": {"error": {"message": "Nothing here."}},
    "an error with an empty code": {"error": {"code": "", "message": "Nothing here."}},
}


@pytest.mark.parametrize("body", _GATEWAYS)
@pytest.mark.parametrize("service", [*_SERVICES, "Azure Table Storage", "Aiven"])
def test_a_404_that_no_service_wrote_is_no_proof_either(cloud: LocalCloud, service: Service, body: str) -> None:
    error = refused(cloud, service, 404, _GATEWAYS[body])
    occurrence = occurrence_of(error)
    assert occurrence is not None
    assert (is_absence(error), occurrence["code"]) == (False, "remote-unavailable")


@pytest.mark.parametrize("body", ['{"id": ', "<html></html>", "[1]"])
@pytest.mark.parametrize("service", ["Azure Resource Manager", "Azure Key Vault"])
def test_an_unreadable_answer_names_its_own_service(cloud: LocalCloud, service: Service, body: str) -> None:
    occurrence = occurrence_of(refused(cloud, service, 200, body))
    assert occurrence is not None
    assert (occurrence["code"], occurrence["remote"]["service"]) == ("remote-unavailable", service)
