"""What the orchestrators call is there under its name, takes what it is given, and answers what they expect."""

from importlib import import_module
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

from activities.blueprint import MODULES, WITH_CLIENT
from orchestrators.blueprint import WORKFLOWS
from orchestrators.durable import StartedWith
from orchestrators.waiting import AWAIT_LOOKS, AWAIT_STEP
from peering import calls, checks, orders, outcome, record, registry, spec, sweep, webhook
from peering.calls import Activity, Orchestrator, StepActivity
from peering.outcome import Outcome, StepRequest
from peering.steps import PLANS

ACTIVITIES = [one for one in vars(calls).values() if isinstance(one, Activity)]
ORCHESTRATORS = [AWAIT_STEP, *(one for one in vars(calls).values() if isinstance(one, Orchestrator))]
REGISTERED = {name: module for table in (MODULES, WITH_CLIENT) for module, names in table.items() for name in names}
#: The types that `calls` imports for those who check types alone.
TYPES = {
    name: one
    for module in (checks, orders, outcome, record, registry, spec, sweep, webhook, calls)
    for name, one in vars(module).items()
}
#: `calls` with those of its names alone that say what they are.
DECLARED = ModuleType("calls")
DECLARED.__annotations__ = {name: text for name, text in calls.__annotations__.items() if text != "Final"}
HINTS = get_type_hints(DECLARED, TYPES)


def _types(name: Activity[Any, Any] | Orchestrator[Any, Any]) -> tuple[object, ...]:
    if isinstance(name, StepActivity):
        return StepRequest, Outcome
    hint = next((hint for variable, hint in HINTS.items() if vars(calls)[variable] is name), None)
    return get_args(get_args(hint)[0] if hint else vars(name)["__orig_class__"])


@pytest.mark.parametrize("name", ACTIVITIES)
def test_an_activity_is_what_its_name_says(name: Activity[Any, Any]) -> None:
    hints = get_type_hints(getattr(import_module(f"activities.{REGISTERED[name]}"), name))
    answer = hints.pop("return")
    assert (next(iter(hints.values())), answer) == _types(name)


def test_every_other_activity_is_a_step() -> None:
    assert set(REGISTERED) == {*ACTIVITIES, *(step.name for table in PLANS.values() for step in table)}


@pytest.mark.parametrize("name", ORCHESTRATORS)
def test_an_orchestrator_is_what_its_name_says(name: Orchestrator[Any, Any]) -> None:
    hints = get_type_hints(getattr(import_module(f"orchestrators.{WORKFLOWS[name]}"), name))
    given, answer = _types(name)
    assert hints["context"] == StartedWith[given]  # type: ignore[valid-type]
    if name != AWAIT_STEP:
        assert get_args(hints["return"])[2] == answer


def test_every_orchestrator_has_a_name_that_tells() -> None:
    assert set(WORKFLOWS) == set(ORCHESTRATORS)
    assert AWAIT_LOOKS == AWAIT_STEP
