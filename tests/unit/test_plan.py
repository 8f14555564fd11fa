"""The tables of steps are whole: every need is yielded once, and nothing waits for itself."""

import ast
from importlib import import_module
from itertools import chain
from operator import attrgetter
from typing import Final, get_args, get_type_hints

import pytest

from activities.blueprint import MODULES, WITH_CLIENT
from peering.drift import DRIFT
from peering.facts import FactName, Facts
from peering.problems.codes import ProblemCode
from peering.request import PeeringRequest
from peering.step_names import STEP_NAMES, LookName
from peering.steps import (
    ARTICLE,
    LOOKS,
    OBJECTS,
    PLANS,
    REMOVAL,
    REMOVED,
    REMOVES,
    STEPS,
    Step,
    forget,
    initial_facts,
    ready,
)
from tests.arbitrary_facts import arbitrary_facts
from tests.reached_code import activity, reached
from tests.unit.good_request import GOOD

#: What a rotation starts from: the facts of the run that connected the peering, and what to rotate to.
GIVEN = {
    "rotate": {
        *("application_id", "application_object_id", "automation_tenant_id", "automation_object_id"),
        *("tenant_id", "rotation"),
    },
    # Whether there is a VNet peering to delete is what `belongings` finds out.
    "remove": {"vnet_peering_to_remove"},
}


def yielded(steps: tuple[Step, ...]) -> list[str]:
    """All facts of a table."""
    return [fact for step in steps for fact in step.yields]


@pytest.mark.parametrize("name", PLANS)
def test_every_fact_is_yielded_by_one_step(name: str) -> None:
    table = tuple(PLANS[name])
    facts = yielded(table)
    assert len(facts) == len(set(facts))
    assert {fact for step in table for fact in step.awaits} <= {*facts, *GIVEN.get(name, set())}


def test_the_names_of_facts_and_steps_are_those_of_the_tables() -> None:
    assert len(get_args(FactName)) == len({*get_args(FactName)})
    assert {*get_args(FactName)} == get_type_hints(Facts).keys()
    assert {*STEP_NAMES} == {step.name for table in PLANS.values() for step in table}
    assert get_args(LookName) == tuple(step.name for step in LOOKS)


def test_every_fact_of_a_step_has_a_type() -> None:
    steps = [step for table in PLANS.values() for step in table]
    named = {fact for step in steps for fact in (*step.awaits, *step.yields, *step.recalls, *step.may_yield)}
    assert named - set(get_type_hints(Facts)) == set()


@pytest.mark.parametrize("name", PLANS)
def test_every_step_becomes_ready_in_turn(name: str) -> None:
    table = PLANS[name]
    facts, begun = set(GIVEN.get(name, set())), list[str]()
    while wave := list(ready(table, facts, begun)):
        begun += [step.name for step in wave]
        facts |= {fact for step in wave for fact in step.yields}
    assert sorted(begun) == sorted(step.name for step in table)


def test_nothing_is_changed_before_every_look_is_done() -> None:
    facts, begun = set[str](), list[str]()
    while wave := [step for step in ready(STEPS, facts, begun) if step.looks]:
        assert all(step.looks for step in ready(STEPS, facts, begun))
        begun += [step.name for step in wave]
        facts |= {fact for step in wave for fact in step.yields}
    assert sorted(begun) == sorted(step.name for step in LOOKS)


def test_independent_branches_are_ready_at_once() -> None:
    facts, begun = set(yielded(LOOKS)), [step.name for step in LOOKS]
    names = {step.name for step in ready(STEPS, {*facts, "vnet_is_clear", "connection_is_clear"}, begun)}
    assert names == {"application", "user_role", "platform_service_principal", "platform_role"}


def test_all_steps_of_the_article_are_there() -> None:
    assert set(ARTICLE) == set(range(1, 15))
    assert {step.article_step for step in STEPS} == set(ARTICLE)


def test_every_step_has_its_activity() -> None:
    registered = {name: module for table in (MODULES, WITH_CLIENT) for module, names in table.items() for name in names}
    steps = {step.name for table in PLANS.values() for step in table}
    assert steps <= set(registered)
    assert all(callable(getattr(import_module(f"activities.{module}"), name)) for name, module in registered.items())


def test_the_vnet_peering_goes_before_the_connection_and_the_application_last_but_for_its_secret() -> None:
    order = [step.name for step in REMOVAL if step.name.startswith("remove_")]
    assert order == [
        *("remove_vnet_peering", "remove_connection", "remove_role_assignments", "remove_roles"),
        *("remove_platform_principal", "remove_application", "remove_secret"),
    ]


def _repairs(codes: set[ProblemCode], **options: object) -> set[str]:
    """The steps that a repair of these findings would run on a connected peering."""
    peering = PeeringRequest.model_validate({**GOOD, **options}, strict=False).peering()
    known: Facts = arbitrary_facts(dict.fromkeys(yielded(STEPS), "known")) | initial_facts(peering)
    facts, begun = forget(known, {fact for code in codes for fact in DRIFT[code].repair}, peering), list[str]()
    while wave := list(ready(STEPS, facts, begun)):
        begun += [step.name for step in wave]
        facts |= arbitrary_facts({fact: "known" for step in wave for fact in step.yields})
    return set(begun)


def test_a_repair_runs_only_the_steps_whose_facts_became_untrue() -> None:
    assert _repairs({"platform-role-assignment-missing"}) == {
        "platform_service_principal",
        "platform_role_assignment",
    }
    assert _repairs({"peering-not-in-sync"}) == {"connected", "sync"}
    assert "application" not in _repairs({"vnet-peering-missing"})
    assert {"stale_connection", "peering_connection", "pending_peer", "vnet_peering"} <= _repairs(
        {"vnet-peering-missing"}
    )


def test_with_setup_only_rights_a_repair_gets_the_role_first_and_gives_it_back() -> None:
    steps = _repairs({"peering-not-in-sync"}, privilege="setup-only")
    assert steps == {"user_role_assignment", "connected", "sync", "release_rights"}
    assert _repairs({"platform-role-assignment-missing"}, privilege="setup-only") == {
        "platform_service_principal",
        "platform_role_assignment",
    }


def test_every_object_is_made_by_a_step_that_yields_its_id() -> None:
    by_name = {step.name: step for step in STEPS}
    assert all(fact in by_name[step].yields for step, fact in OBJECTS.items())


def test_every_object_is_removed_by_a_step_of_the_removal_and_checked_in_the_end() -> None:
    assert {name for names in REMOVES.values() for name in names} == set(OBJECTS)
    assert {*REMOVES, "seen_gone"} == set(REMOVED)
    (last_look,) = (step for step in REMOVAL if step.name == "last_look")
    assert set(REMOVES) <= set(last_look.awaits)


#: Modules that name facts without reading a step's: the tables, and what turns every step into an activity.
NO_READERS: Final = frozenset(
    {"peering.steps", "peering.step_names", "peering.facts", "peering.registry", "activities.step"}
)


def read_by(name: str) -> set[str]:
    """The facts that the activity of a step may read, as its code spells them."""
    own = reached([activity(name)], lambda m: m.startswith(("activities.", "peering.")) and m not in NO_READERS)
    facts, found = get_type_hints(Facts), set[str]()
    for node in own:
        if isinstance(node, ast.Constant) and node.value in facts:
            found.add(str(node.value))
    return found


@pytest.mark.parametrize("step", list(chain(*PLANS.values())), ids=attrgetter("name"))
def test_a_step_reads_what_it_needs_and_nothing_that_it_only_comes_after(step: Step) -> None:
    read = read_by(step.name)
    assert set(step.needs) - read == set()
    assert read & set(step.after) - set(step.needs) == set()
