"""The table of steps is whole: every need is yielded once, nothing waits for itself, all fourteen numbers are there."""

from importlib import import_module

from activities.blueprint import MODULES
from peering.plan import ARTICLE, STEPS, ready
from peering.registry import Record, begin, end, entity_key
from peering.request import PeeringRequest
from tests.unit.test_request import GOOD


def test_every_fact_is_yielded_by_one_step() -> None:
    yielded = [fact for step in STEPS for fact in step.yields]
    assert len(yielded) == len(set(yielded))
    assert {need for step in STEPS for need in step.needs} <= set(yielded)


def test_every_step_becomes_ready_in_turn() -> None:
    facts: set[str] = set()
    begun: list[str] = []
    while wave := list(ready(facts, begun)):
        begun += [step.name for step in wave]
        facts |= {fact for step in wave for fact in step.yields}
    assert sorted(begun) == sorted(step.name for step in STEPS)


def test_independent_branches_are_ready_at_once() -> None:
    facts = {fact for name in ("sign_in", "project_vpc", "vnet", "ownership", "tenant") for fact in _yields(name)}
    begun = {"sign_in", "project_vpc", "vnet", "ownership", "tenant"}
    names = {step.name for step in ready(facts | {"vnet_is_clear", "connection_is_clear"}, begun)}
    assert names == {"application", "user_role", "platform_service_principal", "platform_role"}


def _yields(name: str) -> tuple[str, ...]:
    return next(step.yields for step in STEPS if step.name == name)


def test_all_steps_of_the_article_are_there() -> None:
    assert set(ARTICLE) == set(range(1, 15))
    assert {step.article_step for step in STEPS} == set(ARTICLE)


def test_every_step_has_its_activity_and_no_other_exists() -> None:
    assert sorted(step for steps in MODULES.values() for step in steps) == sorted(step.name for step in STEPS)
    for module, steps in MODULES.items():
        assert all(callable(getattr(import_module(f"activities.{module}"), step)) for step in steps)


def test_the_registry_remembers_what_a_run_found_out() -> None:
    peering = PeeringRequest.model_validate(GOOD, strict=False).peering()
    records: dict[str, Record] = {}
    assert begin(records, peering) == {}
    end(records, {"id": peering["id"], "state": "failed", "facts": {"to_tenant_id": "t"}})
    end(records, {"id": peering["id"], "state": "connected", "facts": {"peering_state": "Connected"}})
    assert begin(records, peering) == {"to_tenant_id": "t", "peering_state": "Connected"}
    assert entity_key("Project", "ABC") == "project|abc"
