"""Deployed apps: one for each test, or one with many VNets for all tests of a module."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from local.cloud import Scenario
from local.deployment import Deployment, deploy, peered_with
from local.host.worker import Worker
from peering.aiven_vpc import KINDS, Kind
from peering.calls import LOOK_AHEAD
from peering.steps import PLANS
from tests.workflows.meanwhile import Meanwhile

#: What the tests of a life run under in the suite: a host that is friendly, and one that is not, by some seeds.
SEEDS: Final = (None, 1, 2, 3)
#: The facts that each step may return.
DECLARED: Final = {step.name: {*step.yields, *step.may_yield} for table in PLANS.values() for step in table}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that are marked `both_kinds` for both kinds of VPCs, and `life` with hostile hosts, too.

    The genuine engine is as hostile as it is.
    """
    is_marked = metafunc.definition.get_closest_marker
    kinds = KINDS if is_marked("both_kinds") is not None else ()
    lives = is_marked("life") is not None
    if kinds and lives:
        both = [pytest.param(k, s, id=f"{k}-{_named(s)}") for k in kinds for s in _seeds(metafunc.config, k)]
        metafunc.parametrize(("aiven_vpc", "hostile"), both, indirect=True, scope="module")
    elif kinds:
        metafunc.parametrize("aiven_vpc", kinds, indirect=True, scope="module")
    elif lives:
        seeds = _seeds(metafunc.config, "project")
        metafunc.parametrize("hostile", seeds, indirect=True, scope="module", ids=_named)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of the second kind what is the same for any kind of VPC."""
    of_second = [item for item in items if isinstance(item, pytest.Function) and _is_of_organization(item)]
    alike = {item for item in of_second if item.get_closest_marker("any_kind") is not None}
    items[:] = [item for item in items if item not in alike]
    config.hook.pytest_deselected(items=list(alike))


def _is_of_organization(item: pytest.Function) -> bool:
    return hasattr(item, "callspec") and item.callspec.params.get("aiven_vpc") == "organization"


def _seeds(config: pytest.Config, kind: Kind) -> tuple[int | None, ...]:
    """The hostile hosts of this run; None is a friendly one."""
    given: int | None = config.getoption("--hostile")
    if config.getoption("--engine") == "genuine":
        return (None,)
    if given is not None:
        return (given,)
    # With an organization VPC the steps are the same but for Aiven's client.
    return SEEDS if kind == "project" else (None,)


def _named(seed: int | None) -> str:
    return "friendly" if seed is None else f"seed {seed}"


@pytest.fixture(scope="module")
def hostile(request: pytest.FixtureRequest) -> int | None:
    """The seed of what the host does to the app, if it does anything."""
    seed: int | None = getattr(request, "param", None)
    return seed


@pytest.fixture(scope="module", autouse=True)
def aiven_vpc(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Whose VPCs the deployments of a test have in Aiven: a project's, or an organization's."""
    kind: Kind = getattr(request, "param", "project")
    with peered_with(kind):
        yield kind


@pytest.fixture
def deployment(tmp_path: Path, hostile: int | None) -> Iterator[Deployment]:
    """The app against a cloud without delays."""
    with deploy(tmp_path, hostile=hostile) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, hostile: int | None, aiven_vpc: Kind) -> Iterator[Deployment]:
    """The app against a cloud without delays but with many VNets, for tests that leave one another alone."""
    scenario = Scenario.model_validate({"vnets": 40})
    with deploy(tmp_path_factory.mktemp("shared"), scenario, hostile=hostile) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def _vnets(shared: Deployment) -> Iterator[str]:
    return iter(shared.cloud.vnet_ids)


@pytest.fixture
def vnet_id(_vnets: Iterator[str]) -> str:
    """A VNet of the shared cloud that no other test uses."""
    return next(_vnets)


def undeclared(name: str, result: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever an activity returns
    """The facts in an activity's result that the table of its step does not declare, each with the step's name."""
    for step, outcome in result.items() if name == LOOK_AHEAD else [(name, result)]:
        if step in DECLARED and isinstance(outcome, dict):
            yield from ((step, fact) for fact in outcome.get("facts", {}) if fact not in DECLARED[step])


@pytest.fixture(scope="session")
def _undeclared() -> Iterator[set[tuple[str, str]]]:
    """What steps return in all tests although their tables do not declare it."""
    seen, genuine = set[tuple[str, str]](), Worker.activity

    async def activity(worker: Worker, name: str, given: str | None, instance_id: str) -> str | None:
        result = await genuine(worker, name, given, instance_id)
        seen.update(undeclared(name, json.loads(result or "null")))
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "activity", activity)
        yield seen


@pytest.fixture(autouse=True)
def _steps_return_what_they_declare(_undeclared: set[tuple[str, str]]) -> Iterator[None]:
    """The tables of steps tell the whole truth, whatever a test lets happen."""
    yield
    found = sorted(_undeclared)
    _undeclared.clear()
    assert found == []


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Nothing happens, unless a test says so."""
    told, genuine = Meanwhile(), Worker.activity

    async def activity(worker: Worker, name: str, given: str | None, instance_id: str) -> str | None:
        told.called.append(name)
        if changes := told.before.get(name):
            await asyncio.to_thread(changes.pop(0))
        result = await genuine(worker, name, given, instance_id)
        if name in told.lost:
            told.lost.remove(name)
            raise ConnectionError(name)
        return result

    monkeypatch.setattr(Worker, "activity", activity)
    return told
