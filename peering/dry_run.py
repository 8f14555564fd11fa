"""What a start would do, drawn from the looks that a start begins with. No I/O."""

from collections.abc import Collection, Mapping
from itertools import chain
from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from peering.aiven_vpc import NAMES
from peering.facts import Facts, VNetPeering
from peering.outcome import Occurrence
from peering.problems import PROBLEMS
from peering.sides import side_of
from peering.spec import Peering
from peering.steps import LOOKS, OBJECTS, STEPS
from peering.unfit import connection_exists

Action = Literal["create", "find", "adopt", "recreate", "unknown"]
#: What a start makes that is not there.
_MAKING: Final = ("create", "recreate")
#: What a start would come to: a new peering, one that is found again, one that is changed, one that is taken over, one
#: that is left to its owner, or nothing because of the obstacles.
Result = Literal["create", "find", "update", "adopt", "leave", "blocked"]


#: What a connection that cannot be built upon takes along when it is made anew.
_MADE_ANEW: Final = frozenset({"peering_connection", "vnet_peering"})


class PlannedStep(TypedDict):
    """One object of the peering: what a start would do about it, and under which name."""

    step: str
    article_step: int
    title: str
    action: Action
    name: NotRequired[str]


class OptionChange(TypedDict):
    """An option of a peering that exists, as it is and as it would be; with `refused`, why a start leaves it."""

    option: str
    old: object
    new: object
    refused: NotRequired[str]


class Plan(TypedDict):
    """What a start would do. Obstacles stop it; those that may clear by themselves it waits for."""

    result: Result
    steps: list[PlannedStep]
    changes: list[OptionChange]
    obstacles: list[Occurrence]
    waits: list[Occurrence]
    warnings: list[str]
    facts: Facts


#: Options that name the peering itself, or say how a start goes about it.
_NO_OPTIONS: Final = frozenset({"id", *chain(*NAMES.values()), "vnet_id", "adopt", "on_failure"})
#: What a start cannot change once it is there, and what can.
REFUSED: Final = {
    "credential": "The kind of the credential is changed by a rotation: POST /api/peerings/{id}/rotate.",
    "peering_name": "A VNet peering keeps its name; remove the peering and start it again under another.",
    "user_peer_network_cidrs": "A connection keeps its networks; Aiven's own API changes them.",
}
#: An option of the VNet's side that no request names: a start switches it on again.
_TRAFFIC: Final = "allow_virtual_network_access"
#: Those that a request may leave as they are.
_ON_VNET: Final = ("allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways")


def plan_of(peering: Peering, facts: Facts, problems: Collection[Occurrence], there: Peering | None = None) -> Plan:
    """The plan, by what the looks gathered and met.

    Args:
        peering: what is asked for.
        facts: what the looks gathered.
        problems: the problems that they met.
        there: the peering as the registry has it; one that is taken over is as the looks found it.
    """
    changes = _changes(peering, there, facts)
    met = [one for problem in problems for one in (problem, *problem.get("also", []))]
    obstacles = [problem for problem in met if PROBLEMS[problem["code"]].deadline is None]
    waits = [problem for problem in met if PROBLEMS[problem["code"]].deadline is not None]
    foreign = facts.get("existing") == "foreign"
    if foreign:
        obstacles.append(connection_exists(facts))
    warned = [facts.get(name) for name in ("limits_checked", "holds_checked", "password_policy_checked")]
    steps = [] if foreign else _steps(peering, facts)
    return Plan(
        result=_result(facts, obstacles, changes, steps),
        steps=steps,
        changes=changes,
        obstacles=obstacles,
        waits=waits,
        warnings=[text for texts in warned if isinstance(texts, list) for text in texts],
        facts=facts,
    )


def _changes(peering: Peering, there: Peering | None, facts: Facts) -> list[OptionChange]:
    """What a start would change of a peering that exists; an option that is not asked for stays as it is."""
    if there is None and facts.get("existing") != "adopted":
        return []
    side = _side(facts)
    networks = facts.get("user_peer_network_cidrs") or []
    found = {"user_peer_network_cidrs": networks, **({"peering_name": side["name"]} if side else {})}
    old: dict[str, object] = {**found, **(there or {}), **(side["options"] if side else {})}
    # A request is for traffic, whatever else it asks for.
    wanted = {**{name: value for name, value in peering.items() if name not in _NO_OPTIONS}, _TRAFFIC: True}
    changes = []
    for name in (one for one in wanted if one in old):
        value = wanted[name]
        if value == old[name] or (name in _ON_VNET and value is None):
            continue
        change = OptionChange(option=name, old=old[name], new=value)
        if name in REFUSED:
            change["refused"] = REFUSED[name]
        changes.append(change)
    return changes


def _side(facts: Facts) -> VNetPeering | None:
    """The VNet's side as the looks found it."""
    sides = facts.get("peered_networks", [])
    return side_of(facts, sides, facts.get("project_network_cidr"))


def _result(
    facts: Facts,
    obstacles: Collection[Occurrence],
    changes: Collection[OptionChange],
    steps: Collection[PlannedStep],
) -> Result:
    existing = facts.get("existing")
    if existing == "foreign":
        return "leave"
    if obstacles:
        return "blocked"
    if existing == "ours":
        is_whole = not any(step["action"] in _MAKING for step in steps)
        return "find" if is_whole and all("refused" in change for change in changes) else "update"
    return "adopt" if existing == "adopted" else "create"


def _steps(peering: Peering, facts: Facts) -> list[PlannedStep]:
    found, adopted = facts.get("found"), facts.get("existing") == "adopted"
    names = _names(peering, _side(facts))
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


def _names(peering: Peering, side: VNetPeering | None) -> Mapping[str, str]:
    custom = peering["role"] == "least-privilege"
    return {
        "application": peering["application_name"],
        "user_role": peering["user_role_name"] if custom else peering["role"],
        "platform_role": peering["platform_role_name"],
        "vnet_peering": side["name"] if side else peering["peering_name"],
    }
