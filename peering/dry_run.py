"""What a start would do, drawn from the looks that a start begins with. No I/O."""

from collections.abc import Collection, Mapping
from typing import Final, Literal, NotRequired, TypedDict, cast

from peering.outcome import Facts, Occurrence
from peering.plan import LOOKS, OBJECTS, STEPS
from peering.problems import PROBLEMS
from peering.spec import Peering

Action = Literal["create", "find", "adopt", "recreate", "unknown"]
#: What a start would come to: a new peering, one that is found again, one that is taken over, one that is left to its
#: owner, or nothing because of the obstacles.
Result = Literal["create", "find", "adopt", "leave", "blocked"]


#: What a connection that cannot be built upon takes along when it is made anew.
_MADE_ANEW: Final = frozenset({"peering_connection", "vnet_peering"})


class PlannedStep(TypedDict):
    """One object of the peering: what a start would do about it, and under which name."""

    step: str
    article_step: int
    title: str
    action: Action
    name: NotRequired[str]


class Plan(TypedDict):
    """What a start would do. Obstacles stop it; those that may clear by themselves it waits for."""

    result: Result
    steps: list[PlannedStep]
    obstacles: list[Occurrence]
    waits: list[Occurrence]
    warnings: list[str]
    facts: Facts


def plan_of(peering: Peering, facts: Facts, problems: Collection[Occurrence]) -> Plan:
    """The plan, by what the looks gathered and met.

    Args:
        peering: what is asked for.
        facts: what the looks gathered.
        problems: the problems that they met.
    """
    met = [one for problem in problems for one in (problem, *problem.get("also", []))]
    obstacles = [problem for problem in met if PROBLEMS[problem["code"]].deadline is None]
    waits = [problem for problem in met if PROBLEMS[problem["code"]].deadline is not None]
    foreign = facts.get("existing") == "foreign"
    if foreign:
        owner = facts.get("found_connection_application_id")
        obstacles.append(Occurrence(code="connection-exists", detail=f"The application {owner} asked for it."))
    near = facts.get("limits_checked")
    return Plan(
        result=_result(facts, obstacles),
        steps=[] if foreign else _steps(peering, facts),
        obstacles=obstacles,
        waits=waits,
        warnings=list(cast("list[str]", near)) if isinstance(near, list) else [],
        facts=facts,
    )


def _result(facts: Facts, obstacles: Collection[Occurrence]) -> Result:
    existing = facts.get("existing")
    if existing == "foreign":
        return "leave"
    if obstacles:
        return "blocked"
    return {"ours": "find", "adopted": "adopt"}.get(str(existing), "create")  # type: ignore[return-value]


def _steps(peering: Peering, facts: Facts) -> list[PlannedStep]:
    found, adopted = facts.get("found"), facts.get("existing") == "adopted"
    names = _names(peering)
    planned = []
    for step in STEPS:
        if step.name not in OBJECTS or step in LOOKS:
            continue
        there: Action = "adopt" if adopted else "find"
        action: Action = "unknown" if not isinstance(found, list) else there if step.name in found else "create"
        if step.name in _MADE_ANEW and action == "create" and facts.get("found_connection_state") is not None:
            action = "recreate"
        one = PlannedStep(step=step.name, article_step=step.article_step, title=step.title, action=action)
        if step.name in names:
            one["name"] = names[step.name]
        planned.append(one)
    return planned


def _names(peering: Peering) -> Mapping[str, str]:
    custom = peering["role"] == "least-privilege"
    return {
        "application": peering["application_name"],
        "user_role": peering["user_role_name"] if custom else peering["role"],
        "platform_role": peering["platform_role_name"],
        "vnet_peering": peering["peering_name"],
    }
