"""What a start would do, derived from its preflight steps. No I/O."""

from collections.abc import Collection, Mapping
from itertools import chain
from typing import Final, Literal, NotRequired

from typing_extensions import TypedDict

from peering.aiven_vpc import NAMES, AivenVpc
from peering.facts import OWN, Facts, VNetPeering
from peering.outcome import Occurrence
from peering.problems import PROBLEMS
from peering.record import Record
from peering.sides import side_of
from peering.spec import OF_ITS_OWNER, Peering
from peering.step_names import StepName
from peering.steps import LOOKS, OBJECTS, STEPS
from peering.unfit import connection_exists

Action = Literal["create", "find", "adopt", "recreate", "delete", "unknown"]
#: What changes a peering that exists.
_CHANGING: Final = ("create", "recreate", "delete")
#: The result of a start: a new, an unchanged, a changed or an adopted peering, one that another owner keeps, or nothing
#: because of obstacles.
Result = Literal["create", "find", "update", "adopt", "leave", "blocked"]


#: The objects that are also recreated when an unusable connection is.
_MADE_ANEW: Final[frozenset[StepName]] = frozenset({"peering_connection", "vnet_peering"})


class PlannedStep(TypedDict):
    """One object of the peering: what a start would do to it, and its name; of one that is deleted, also its ARM id."""

    step: StepName
    article_step: int
    title: str
    action: Action
    name: NotRequired[str]
    id: NotRequired[str]


class OptionChange(TypedDict):
    """An option, the labels or the note of an existing peering, with its old and new value.

    `refused` says why a start cannot change it.
    """

    option: str
    old: object
    new: object
    refused: NotRequired[str]


class Plan(TypedDict):
    """What a start would do. Obstacles stop it; it waits for transient ones."""

    result: Result
    steps: list[PlannedStep]
    changes: list[OptionChange]
    obstacles: list[Occurrence]
    waits: list[Occurrence]
    warnings: list[str]
    facts: Facts


#: Options that name the peering itself, or control the start.
_NO_OPTIONS: Final = frozenset({"id", *chain(*NAMES.values()), "vnet_id", "adopt"})
#: Options that a start cannot change once they are set, and what can.
REFUSED: Final = {
    "credential": "The kind of the credential is changed by a rotation: POST /api/peerings/{id}/rotate.",
    "peering_name": "A VNet peering keeps its name; remove the peering and start it again with another name.",
    "user_peer_network_cidrs": "A connection keeps its networks; Aiven's own API changes them.",
}
#: An option of the VNet's side that no request names: a start enables it again.
_TRAFFIC: Final = "allow_virtual_network_access"
_ADOPTED: Final = "The peering was adopted; its application and roles stay as they are."
#: Options that a request may leave unchanged.
_ON_VNET: Final = ("allow_forwarded_traffic", "allow_gateway_transit", "use_remote_gateways")


def changes_of_notes(there: Record, noted: Record) -> list[OptionChange]:
    """What a request changes of the labels and the note.

    Args:
        there: the record.
        noted: the record as the request would leave it.
    """
    pairs = {
        "labels": (there.get("labels", {}), noted.get("labels", {})),
        "note": (there.get("note", ""), noted.get("note", "")),
    }
    return [OptionChange(option=name, old=old, new=new) for name, (old, new) in pairs.items() if old != new]


def plan_of(
    peering: Peering,
    facts: Facts,
    problems: Collection[Occurrence],
    there: Record | None = None,
    notes: Collection[OptionChange] = (),
) -> Plan:
    """The plan, from the facts and problems of the preflight.

    Args:
        peering: the requested peering.
        facts: the facts of the preflight.
        problems: the problems of the preflight.
        there: the peering's record, if there is one.
        notes: the changes of its labels and its note.
    """
    changes = [*_changes(peering, there["peering"] if there else None, facts), *notes]
    met = [one for problem in problems for one in (problem, *problem.get("also", []))]
    obstacles = [problem for problem in met if PROBLEMS[problem["code"]].deadline is None]
    waits = [problem for problem in met if PROBLEMS[problem["code"]].deadline is not None]
    foreign = facts.get("existing") == "foreign"
    if foreign:
        obstacles.append(connection_exists(facts))
    warned = (
        *(facts.get("limits_checked"), facts.get("holds_checked")),
        *(facts.get("password_policy_checked"), facts.get("conditions_checked")),
    )
    is_known = there is not None and "application_id" in there["facts"]
    adopts = facts.get("existing") == "adopted" and not is_known
    steps = [] if foreign else [*_steps(peering, facts, "adopt" if adopts else "find"), *_deletions(facts)]
    return Plan(
        result=_result(facts, obstacles, changes, steps, adopts=adopts),
        steps=steps,
        changes=changes,
        obstacles=obstacles,
        waits=waits,
        warnings=[text for texts in warned if isinstance(texts, list) for text in texts],
        facts=facts,
    )


def _changes(peering: Peering, there: Peering | None, facts: Facts) -> list[OptionChange]:
    """What a start would change of an existing peering; options that are not requested stay unchanged."""
    if there is None and facts.get("existing") not in OWN:
        return []
    side = _side(facts)
    networks = facts.get("user_peer_network_cidrs") or []
    found = {"user_peer_network_cidrs": networks, **({"peering_name": side["name"]} if side else {})}
    # The clouds, not the registry, decide what exists.
    old: dict[str, object] = {**(there or {}), **found, **(side["options"] if side else {})}
    # Every request enables traffic.
    wanted = {**{name: value for name, value in peering.items() if name not in _NO_OPTIONS}, _TRAFFIC: True}
    is_adopted, changes = facts.get("existing") == "adopted", list[OptionChange]()
    refused = REFUSED | (dict.fromkeys(OF_ITS_OWNER, _ADOPTED) if is_adopted else {})
    if is_adopted and peering["peering_name"] == f"aiven-{AivenVpc.of(peering).id}":
        # No request has asked for it: it is the default.
        del wanted["peering_name"]
    if not is_adopted and "application_changes" in facts:
        del wanted["application_name"]
        changes += [
            OptionChange(option=one["option"], old=one["old"], new=one["new"]) for one in facts["application_changes"]
        ]
    for name in (one for one in wanted if one in old):
        value = wanted[name]
        if value == old[name] or (name in _ON_VNET and value is None):
            continue
        change = OptionChange(option=name, old=old[name], new=value)
        if name in refused:
            change["refused"] = refused[name]
        changes.append(change)
    return changes


def _side(facts: Facts) -> VNetPeering | None:
    """The VNet's side as the preflight found it."""
    sides = facts.get("peered_networks", [])
    return side_of(facts, sides, facts.get("project_network_cidr"))


def _result(
    facts: Facts,
    obstacles: Collection[Occurrence],
    changes: Collection[OptionChange],
    steps: Collection[PlannedStep],
    *,
    adopts: bool,
) -> Result:
    existing = facts.get("existing")
    if existing == "foreign":
        return "leave"
    if obstacles:
        return "blocked"
    if adopts:
        return "adopt"
    if existing not in OWN:
        return "create"
    is_whole = not any(step["action"] in _CHANGING for step in steps)
    return "find" if is_whole and all("refused" in change for change in changes) else "update"


def _steps(peering: Peering, facts: Facts, there: Action) -> list[PlannedStep]:
    found = facts.get("found")
    names = _names(peering, _side(facts))
    planned = []
    for step in STEPS:
        if step.name not in OBJECTS or step in LOOKS:
            continue
        action: Action = "unknown" if not isinstance(found, list) else there if step.name in found else "create"
        if step.name in _MADE_ANEW and action == "create" and facts.get("found_connection_state") is not None:
            action = "recreate"
        one = PlannedStep(step=step.name, article_step=step.article_step, title=step.title, action=action)
        if step.name in names:
            one["name"] = names[step.name]
        planned.append(one)
    return planned


def _deletions(facts: Facts) -> list[PlannedStep]:
    """The rights that the start removes at its end."""
    steps = {step.name: step for step in STEPS}
    return [
        PlannedStep(**right, article_step=step.article_step, title=step.title, action="delete")
        for right in facts.get("surplus_found", [])
        for step in [steps[right["step"]]]
    ]


def _names(peering: Peering, side: VNetPeering | None) -> Mapping[str, str]:
    custom = peering["role"] == "least-privilege"
    return {
        "application": peering["application_name"],
        "user_role": peering["user_role_name"] if custom else peering["role"],
        "platform_role": peering["platform_role_name"],
        "vnet_peering": side["name"] if side else peering["peering_name"],
    }
