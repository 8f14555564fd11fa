"""What is found wrong with a peering by the look of it: nothing that is right, and each fault by its code."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from peering.drift import DRIFT, ORDER, findings, own_among, renewal_window, verdict_of
from peering.facts import Facts
from peering.look import ConnectionLook
from peering.naming import federated_credential_name, role_assignment_id
from peering.problems import PROBLEMS
from peering.problems.codes import ProblemCode
from peering.steps import STEPS, forget, initial_facts, ready
from tests.arbitrary_facts import arbitrary_facts
from tests.unit.healthy_peering import FACTS, HEALTHY, NOW, PEERING, VNET


def codes(
    change: Callable[[dict[str, Any]], object] = lambda _: None, facts: Facts = FACTS, **options: object
) -> list[ProblemCode]:
    """What is found wrong after a change to a healthy look."""
    look = deepcopy(HEALTHY)
    change(look)
    peering = {**PEERING, **options}
    return [f["code"] for f in findings(peering, facts, look, NOW)]  # type: ignore[arg-type]


def put(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    """A change: something else at a place of the look."""

    def change(look: Any) -> None:  # noqa: ANN401 - JSON of any shape
        *way, last = path
        for step in way:
            look = look[step]
        look[last] = value

    return change


def also(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    """A change: one thing more in a list of the look."""

    def change(look: Any) -> None:  # noqa: ANN401 - JSON of any shape
        for step in path:
            look = look[step]
        look.append(value)

    return change


#: A network that is peered with the VNet and has addresses of the VPC; a further role of the application's.
THIRD = {**HEALTHY["vnet"]["found"]["peered_networks"][0], "remote_id": f"{VNET}-third", "prefixes": ["10.240.8.0/24"]}
FURTHER = {"id": "3", "scope": VNET, "role": "another-role", "principal_id": "user"}
CONNECTION = ("project_vpc", "found", "connections", 0)
SIDE = ("vnet", "found", "peered_networks", 0)


def test_a_healthy_peering_has_no_findings() -> None:
    assert codes() == []
    assert verdict_of([]) == "healthy"


#: Changes to a healthy look, each with what is found then.
FAULTS = [
    (put("project_vpc", "found", value=None), ["project-vpc-not-found"]),
    (put("project_vpc", "found", "state", value="DELETING"), ["project-vpc-deleted"]),
    (put("project_vpc", "found", "connections", value=[]), ["connection-absent"]),
    (put(*CONNECTION, "state", value="DELETED_BY_PEER"), ["connection-deleted-by-peer"]),
    (put(*CONNECTION, "state", value="DELETING"), ["connection-being-deleted"]),
    (put(*CONNECTION, "state", value="APPROVED"), ["connection-not-built"]),
    (put(*CONNECTION, "state", value="PENDING_PEER"), ["connection-not-active"]),
    (put(*CONNECTION, "state", value="INVALID_SPECIFICATION"), ["connection-invalid-specification"]),
    (put(*CONNECTION, "state", value="REJECTED_BY_PEER"), ["connection-rejected-by-peer"]),
    (put(*CONNECTION, "state", value="ERROR"), ["connection-error"]),
    (put(*CONNECTION, "state", value="SOMETHING_NEW"), ["connection-state-unknown"]),
    (put(*CONNECTION, "application_id", value="other"), ["connection-of-another-application"]),
    (put(*CONNECTION, "tenant_id", value="other"), ["connection-wrong-tenant"]),
    (put(*CONNECTION, "vnet", value="Hub-VNet"), ["connection-name-case"]),
    (put("vnet", "found", value=None), ["vnet-not-found"]),
    (put("vnet", "found", "provisioning_state", value="Failed"), ["vnet-not-provisioned"]),
    (put("vnet", "found", "provisioning_state", value="Deleting"), ["vnet-not-provisioned"]),
    (put("vnet", "found", "address_prefixes", value=["10.240.8.0/24"]), ["address-spaces-overlap"]),
    (put("vnet", "found", "peered_networks", value=[]), ["vnet-peering-missing"]),
    (put(*SIDE, "state", value="Disconnected"), ["vnet-peering-disconnected"]),
    (put(*SIDE, "state", value="Initiated"), ["peering-not-connected"]),
    (put(*SIDE, "provisioning_state", value="Failed"), ["peering-failed"]),
    (put(*SIDE, "sync_level", value="LocalNotInSync"), ["peering-not-in-sync"]),
    (put(*SIDE, "sync_level", value="LocalAndRemoteNotInSync"), ["peering-not-in-sync"]),
    (put(*SIDE, "sync_level", value="RemoteNotInSync"), ["platform-side-not-in-sync"]),
    (put(*SIDE, "options", "allow_virtual_network_access", value=False), ["traffic-not-allowed"]),
    (also("vnet", "found", "peered_networks", value=THIRD), ["address-space-overlaps-peered-vnet"]),
    (put("access", "found", "assignments", 0, "principal_id", value="x"), ["user-role-assignment-missing"]),
    (put("access", "found", "assignments", 1, "principal_id", value="x"), ["platform-role-assignment-missing"]),
    (also("access", "found", "assignments", value=FURTHER), ["surplus-rights"]),
    (put("access", "found", "roles", "platform-role", "actions", value=["*"]), ["role-definition-changed"]),
    (put("access", "found", "roles", "user-role", "actions", value=[]), ["role-definition-changed"]),
    (put("application", "found", value=None), ["application-missing"]),
    (put("application", "found", "audience", value="AzureADMyOrg"), ["application-not-multi-tenant"]),
    (put("user_principal", "found", value=None), ["application-principal-missing"]),
    (put("user_principal", "found", "enabled", value=False), ["application-disabled"]),
    (put("platform_principal", "found", value=None), ["platform-principal-missing"]),
    (put("platform_principal", "found", "enabled", value=False), ["platform-principal-disabled"]),
    (put("secret", "found", value=None), ["secret-missing"]),
    (put("secret", "found", "enabled", value=False), ["secret-missing"]),
    (put("secret", "found", "key_id", value="x"), ["secret-not-on-application"]),
    (put("secret", "found", "expires", value=NOW.isoformat()), ["secret-expired"]),
    (put("secret", "found", "expires", value=(NOW + timedelta(days=29)).isoformat()), ["secret-expires-soon"]),
]
#: What is found only where something else was asked for; each has a test of its own.
BY_OPTION = {"peering-options-differ", "user-rights-not-released", "federated-credential-missing"}


@pytest.mark.parametrize(("change", "expected"), FAULTS, ids=lambda value: value[0] if isinstance(value, list) else "")
def test_each_fault_has_its_code_and_no_other(
    change: Callable[[dict[str, Any]], None], expected: list[ProblemCode]
) -> None:
    assert codes(change) == expected
    assert verdict_of(expected) in ("degraded", "broken")


@pytest.mark.parametrize("part", HEALTHY)
def test_what_could_not_be_looked_at_is_unknown_and_never_healthy(part: str) -> None:
    found = codes(put(part, value={"problem": {"code": "remote-unavailable", "detail": "x"}}))
    assert set(found) == {"remote-unavailable"}
    assert verdict_of(found) == "unknown"


@pytest.mark.parametrize(("principal", "assignment"), [("user_principal", 0), ("platform_principal", 1)])
def test_without_a_look_at_a_principal_nothing_is_said_of_its_roles(principal: str, assignment: int) -> None:
    def hide(look: dict[str, Any]) -> None:
        look[principal] = {"problem": {"code": "remote-unavailable", "detail": "x"}}
        del look["access"]["found"]["assignments"][assignment]

    assert codes(hide) == ["remote-unavailable"]


def test_a_principal_that_is_gone_is_one_finding_though_its_roles_are_not_shown_either() -> None:
    def delete(look: dict[str, Any]) -> None:
        look["user_principal"]["found"] = None
        del look["access"]["found"]["assignments"][0]

    assert codes(delete) == ["application-principal-missing"]


@pytest.mark.parametrize("code", ["connection-deleted-by-peer", "vnet-peering-missing", "vnet-peering-disconnected"])
def test_a_connection_is_recreated_by_the_present_state_of_the_vnet(code: ProblemCode) -> None:
    known = arbitrary_facts({fact: "known" for step in STEPS for fact in step.yields}) | initial_facts(PEERING)
    looked = [step for step in STEPS if step.name in ("project_vpc", "ownership")]
    facts = forget(known, DRIFT[code].repair, PEERING) | arbitrary_facts(
        {fact: "known" for step in looked for fact in step.yields}
    )
    assert [step.name for step in ready(STEPS, facts, [step.name for step in looked])] == ["vnet"]


def test_of_several_connections_the_applications_own_is_meant_however_far_others_are() -> None:
    states = {"another": "ACTIVE", "own": "PENDING_PEER"}
    there = [
        ConnectionLook(
            account="s", resource_group="g", vnet="v", application_id=name, tenant_id="t", state=state, message=None
        )
        for name, state in states.items()
    ]
    assert [own_among(there, name) for name in ("OWN", "another")] == [there[1], there[0]]
    assert own_among(there, None) == own_among(there, "a third") == there[0]


def test_a_vnet_that_is_being_changed_is_no_finding() -> None:
    assert codes(put("vnet", "found", "provisioning_state", value="Updating")) == []


def test_what_kept_several_things_from_view_is_found_once() -> None:
    problem = {"problem": {"code": "remote-unavailable", "detail": "x"}}
    assert codes(lambda look: look.update(user_principal=problem, platform_principal=problem)) == ["remote-unavailable"]


def test_options_that_were_not_asked_for_may_be_as_they_are() -> None:
    change = put(*SIDE, "options", "allow_forwarded_traffic", value=True)
    assert codes(change) == []
    assert codes(change, allow_forwarded_traffic=False) == ["peering-options-differ"]


def test_of_a_federated_credential_only_the_trust_is_looked_for() -> None:
    federated: Facts = {**FACTS, "credential": "federated", "secret_name": None}

    def trust_without_a_secret(look: dict[str, Any]) -> None:
        look["application"]["found"]["federated"] = [federated_credential_name(PEERING["id"])]
        look["secret"]["found"] = None

    def trust_of_others(look: dict[str, Any]) -> None:
        look["application"]["found"]["federated"] = ["github-actions"]

    assert codes(facts=federated) == ["federated-credential-missing"]
    assert codes(trust_of_others, federated) == ["federated-credential-missing"]
    assert codes(trust_without_a_secret, federated) == []


def test_with_setup_only_rights_the_role_is_expected_to_be_gone() -> None:
    own = role_assignment_id(VNET, "user-role", "user")
    facts: Facts = {**FACTS, "user_role_assignment_id": own}
    there = put("access", "found", "assignments", 0, "id", value=own)
    assert codes(there, facts, privilege="setup-only") == ["user-rights-not-released"]
    gone = put("access", "found", "assignments", 0, "principal_id", value="x")
    assert codes(gone, facts, privilege="setup-only") == []


@pytest.mark.parametrize("role", ["user-role", "another-role"])
def test_with_setup_only_rights_what_another_owner_gave_is_in_surplus_and_not_to_be_released(role: str) -> None:
    def give(look: dict[str, Any]) -> None:
        access = look["access"]["found"]
        access["roles"]["another-role"] = access["roles"]["user-role"]
        access["assignments"][0]["role"] = role

    facts: Facts = {**FACTS, "user_role_assignment_id": role_assignment_id(VNET, "user-role", "user")}
    assert codes(give, facts, privilege="setup-only") == ["surplus-rights"]


def test_the_worst_finding_decides_and_a_blind_spot_is_worse_than_a_blemish() -> None:
    assert ORDER == ("healthy", "degraded", "unknown", "broken")
    assert verdict_of(["secret-expires-soon", "remote-unavailable"]) == "unknown"
    assert verdict_of(["remote-unavailable", "vnet-not-found"]) == "broken"


def test_every_kind_of_drift_is_in_the_catalogue() -> None:
    assert set(DRIFT) <= set(PROBLEMS)


def test_every_kind_of_drift_has_a_fault() -> None:
    assert {code for _, expected in FAULTS for code in expected} | BY_OPTION == set(DRIFT)


def test_a_password_is_renewed_in_the_last_fifth_of_its_life_at_most_a_month_before() -> None:
    assert renewal_window(180) == timedelta(days=30)
    assert renewal_window(10) == timedelta(days=2)


def test_a_password_that_neither_the_vault_nor_entra_dates_does_not_expire() -> None:
    assert codes(put("secret", "found", "expires", value=None)) == []


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [("fd00:1::/48", ["address-spaces-overlap"]), ("fd00:2::/48", []), ("10.240.8.0/24", ["address-spaces-overlap"])],
)
def test_ranges_of_two_kinds_of_addresses_overlap_within_their_own_kind(
    theirs: str, expected: list[ProblemCode]
) -> None:
    def both(look: dict[str, Any]) -> None:
        look["project_vpc"]["found"]["network_cidr"] = "10.240.0.0/20, fd00:1::/64"
        look["vnet"]["found"]["address_prefixes"] = ["10.0.0.0/16", theirs]

    assert codes(both) == expected
