"""Every refusal of the local cloud maps to a problem that says what it is, where it is, and who can fix it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import pytest

from activities.remote_errors import occurrence_of
from local.cloud import LocalCloud
from local.cloud.scenario import Fault
from peering.outcome import Occurrence
from peering.problems import PROBLEMS
from peering.problems.remote_codes import NO_SUCH_HOST, REMOTE_CODES, SIGN_IN_CODES, Identity, Service
from tests.remote_answers.asking import ASK
from tests.remote_answers.emitted_codes import Emission, emitted

_SERVER_ERROR: Final = 500
_FORBIDDEN: Final = 403
_IDENTITIES: Final[tuple[Identity, ...]] = ("automation", "application")
EMITTED, UNREAD = emitted()
_PATHS: Final[dict[Service, str]] = {"Entra ID": "/token$"}

#: Problems that say no more than that a remote refused.
UNKNOWN: Final = frozenset({"remote-refused", "aiven-refused", "application-sign-in-failed"})

_OUR_REQUEST: Final = "a request that this app never makes: where it comes, the app is at fault"
_BY_STEP: Final = "the step that meets it knows what it means"
#: Codes that are deliberately read as nothing more, and why.
NOTHING_MORE: Final[Mapping[Service, Mapping[str, str]]] = {
    "Azure Resource Manager": {
        "BadRequestFormat": _OUR_REQUEST,
        "InvalidAuxiliaryTokens": _OUR_REQUEST,
        "MissingApiVersionParameter": _OUR_REQUEST,
        "MissingAssignableScopes": _OUR_REQUEST,
        "InvalidResourceName": _OUR_REQUEST,
        "PrincipalTypeNotSupported": _OUR_REQUEST,
        "UnmatchedPrincipalType": _OUR_REQUEST,
        "RoleAssignmentUpdateNotPermitted": _OUR_REQUEST,
        "OperationNotFound": _OUR_REQUEST,
        "RoleAssignmentExists": _BY_STEP,
        "RoleAssignmentNotFound": _BY_STEP,
        "RoleDefinitionHasAssignments": _BY_STEP,
        "PolicyDefinitionNotFound": _BY_STEP,
        "NotFound": _BY_STEP,
    },
    "Microsoft Graph": {
        "BadRequest": _OUR_REQUEST,
        "Request_BadRequest": _OUR_REQUEST,
        "Request_UnsupportedQuery": _OUR_REQUEST,
    },
    "Entra ID": {
        "AADSTS70003": _OUR_REQUEST,
        "AADSTS90002": _OUR_REQUEST,
        "AADSTS500011": _OUR_REQUEST,
        "AADSTS700027": _OUR_REQUEST,
        "AADSTS700222": _OUR_REQUEST,
        "AADSTS700236": _OUR_REQUEST,
    },
    "Azure Key Vault": {"BadParameter": _OUR_REQUEST},
    "Azure Table Storage": {
        **dict.fromkeys(
            (
                *("CommandsInBatchActOnDifferentPartitions", "EntityTooLarge", "InvalidDuplicateRow", "InvalidInput"),
                *("InvalidQueryParameterValue", "InvalidResourceName", "KeyValueTooLarge", "OutOfRangeInput"),
                *("PropertiesNeedValue", "PropertyNameInvalid", "PropertyNameTooLong", "PropertyValueTooLarge"),
                *("TooManyProperties", "RequestBodyTooLarge", "NoAuthenticationInformation"),
            ),
            _OUR_REQUEST,
        ),
        "EntityAlreadyExists": _BY_STEP,
        "TableAlreadyExists": _BY_STEP,
        "TableNotFound": _BY_STEP,
        "ResourceNotFound": _BY_STEP,
        "UpdateConditionNotSatisfied": _BY_STEP,
    },
    "Aiven": {"invalid_request": _OUR_REQUEST, "conflict": _BY_STEP, "retired_api_endpoint": _BY_STEP},
}


def test_no_code_is_overlooked() -> None:
    assert UNREAD == [], "the scan does not follow how these calls come to their codes"
    assert {emission.service for emission in EMITTED} == set(ASK)
    known = {code for emission in EMITTED for code in emission.codes}
    assert {"ScopeLocked", "ForbiddenByRbac", "InvalidKeyEndDate", "AADSTS7000215", "conflict"} <= known


@pytest.mark.parametrize("emission", EMITTED, ids=lambda one: f"{one.service} {one.status} {one.codes[0]}")
def test_a_refusal_is_read(cloud: LocalCloud, emission: Emission) -> None:
    host, ask = ASK[emission.service]
    deliberately = NOTHING_MORE[emission.service].get(emission.codes[0])
    for identity in _IDENTITIES if emission.service == "Entra ID" else _IDENTITIES[:1]:
        fault = Fault(host=host, status=emission.status, body=body_of(emission), path=_PATHS.get(emission.service, ""))
        cloud.world.knobs.faults = [fault.model_copy(update={"times": 100})]
        occurrence = asyncio.run(refusal(ask, identity))
        if occurrence is None:
            assert deliberately == _BY_STEP, "it is taken for no refusal at all"
            continue
        remote, problem = occurrence["remote"], PROBLEMS[occurrence["code"]]
        assert (remote["service"], remote["status"], remote["code"]) == (
            *(emission.service, emission.status),
            emission.codes[-1],
        )
        assert remote["host"]
        assert problem.fixer
        assert problem.remedy
        if emission.status < _SERVER_ERROR and deliberately is None:
            assert problem.code not in UNKNOWN, occurrence


#: What the app reads of each service's codes, whether the local cloud can emit them or not.
READINGS: Final = [
    *(
        (service, "automation", code, problem)
        for service, codes in REMOTE_CODES.items()
        for code, problem in codes.items()
        if code != NO_SUCH_HOST
    ),
    *(
        ("Entra ID", identity, code, problem)
        for identity, codes in SIGN_IN_CODES.items()
        for code, problem in codes.items()
    ),
]


@pytest.mark.parametrize(
    ("service", "identity", "code", "problem"), READINGS, ids=[f"{one[0]} {one[1]} {one[2]}" for one in READINGS]
)
def test_a_code_of_the_tables_comes_through_its_client(
    cloud: LocalCloud, service: Service, identity: Identity, code: str, problem: str
) -> None:
    host, ask = ASK[service]
    body = body_of(Emission(service, _FORBIDDEN, (code,)))
    fault = Fault(host=host, status=_FORBIDDEN, body=body, path=_PATHS.get(service, ""), times=100)
    cloud.world.knobs.faults = [fault]
    occurrence = asyncio.run(refusal(ask, identity))
    assert occurrence is not None
    assert (occurrence["code"], occurrence["remote"]["code"]) == (problem, code)


def test_what_is_deliberately_nothing_more_can_be_emitted() -> None:
    emittable = {(emission.service, emission.codes[0]) for emission in EMITTED}
    assert {(service, code) for service, codes in NOTHING_MORE.items() for code in codes} <= emittable


@pytest.mark.parametrize("identity", _IDENTITIES)
def test_an_answer_without_a_token_is_asked_for_again(cloud: LocalCloud, identity: Identity) -> None:
    host, ask = ASK["Entra ID"]
    half = {"token_type": "Bearer", "expires_in": 3599}
    cloud.world.knobs.faults = [Fault(host=host, status=200, body=half, path=_PATHS["Entra ID"], times=100)]
    occurrence = asyncio.run(refusal(ask, identity))
    assert occurrence is not None
    assert (occurrence["code"], occurrence["remote"]["service"]) == ("remote-unavailable", "Entra ID")
    assert "answered 200 with an unreadable response" in occurrence["detail"]


async def refusal(ask: Callable[[Identity], Awaitable[object]], identity: Identity) -> Occurrence | None:
    """The problem that a call is refused for, if it is."""
    try:
        await ask(identity)
    except Exception as error:
        if (occurrence := occurrence_of(error)) is None:
            raise
        return occurrence
    return None


def body_of(emission: Emission) -> Any:  # noqa: ANN401 - a document of JSON
    """A refusal in the form of its service."""
    first, last = emission.codes[0], emission.codes[-1]
    message = "A refusal."
    if emission.service == "Entra ID":
        number = first.removeprefix("AADSTS")
        if not number.isdigit():
            return {"error": first, "error_description": message}
        return {"error": "invalid_request", "error_description": f"{first}: {message}", "error_codes": [int(number)]}
    if emission.service == "Aiven":
        return {"message": message, "errors": [{"message": message, "status": emission.status, "error_code": first}]}
    if emission.service == "Azure Table Storage":
        return {"odata.error": {"code": first, "message": {"lang": "en-US", "value": message}}}
    error: dict[str, Any] = {"code": last, "message": message}
    if first != last:
        of_vault = emission.service == "Azure Key Vault"
        error |= {"innererror": {"code": first}} if of_vault else {"details": [{"code": first, "message": message}]}
    return {"error": error}
