"""What a removal would do, derived from its preflight. No I/O."""

from collections.abc import Mapping
from typing import Final, Literal

from typing_extensions import TypedDict

from peering.facts import Facts, named
from peering.naming import folded, last_part, same_id
from peering.outcome import Occurrence
from peering.problems import PROBLEMS
from peering.record import Record
from peering.removal_obstacles import RemovalLooks, in_the_way, may_be_in_the_way
from peering.rights import RIGHTS, is_in_use, made_role_names, own_assignments
from peering.spec import Peering
from peering.step_names import StepName
from peering.steps import OBJECTS, STEPS

#: The fate of an object: it is deleted, handed back to the owner that it was adopted from, kept because another owner
#: needs or created it, or already gone. `unknown`: it could not be read.
Removal = Literal["delete", "hand back", "keep", "gone", "unknown"]
RemovalResult = Literal["remove", "hand back", "blocked"]

_SHARED: Final = "Another peering of this app needs it."
_ASSIGNMENTS: Final[tuple[StepName, ...]] = ("user_role_assignment", "platform_role_assignment")
_OF_APPLICATION: Final[tuple[StepName, ...]] = ("application", "user_service_principal", "application_credential")
#: What no removal of an adopted peering deletes, whoever has made it.
_HANDED_BACK: Final[tuple[StepName, ...]] = ("application", "peering_connection", "vnet_peering")
#: What is kept of an adopted peering although the app has made it, and why.
_NEEDED_BY: Final[Mapping[StepName, str]] = {
    **dict.fromkeys(
        ("user_service_principal", "user_role", "user_role_assignment"), "The application that is handed back needs it."
    ),
    **dict.fromkeys(
        ("platform_service_principal", "platform_role", "platform_role_assignment"),
        "The connection that is handed back needs it.",
    ),
}
_PRINCIPALS: Final[tuple[StepName, ...]] = ("user_service_principal", "platform_service_principal")
_ASSIGNED: Final = "It is assigned elsewhere."
_NEEDED: Final = "The platform needs it for another peering of the VNet."
_NOT_OURS: Final = "This app did not create it."


class RemovedObject(TypedDict):
    """One object of the peering, what a removal would do to it, and why it would stay."""

    step: StepName
    article_step: int
    title: str
    action: Removal
    id: str | None
    why: str


class RemovalPlan(TypedDict):
    """What a removal would do. Obstacles stop it; it waits for transient ones.

    Warnings name possible obstacles, as far as a plan can read them.
    """

    result: RemovalResult
    steps: list[RemovedObject]
    obstacles: list[Occurrence]
    waits: list[Occurrence]
    warnings: list[str]


def removal_plan_of(record: Record, looks: RemovalLooks) -> RemovalPlan:
    """The plan of a removal.

    Args:
        record: the peering's record.
        looks: the existing objects, and the possible obstacles.
    """
    known = record["facts"] | looks.facts
    objects = [
        _of_step(step.name, action, named(known, OBJECTS[step.name]), why)
        for step in STEPS
        if step.name in OBJECTS
        for action, why in [_fate(step.name, record, known, looks)]
    ]
    shown = {folded(one["id"] or "") for one in objects}
    others = {name: role for name, role in looks.made_roles.items() if folded(role) not in shown}
    earlier = [_of_an_earlier_start(name, role, looks) for name, role in others.items()]
    earlier += [_left_assignment(one) for one in looks.removed_assignments or () if folded(one) not in shown]
    deleted = {one["step"]: one["id"] for one in (*earlier, *objects) if one["action"] == "delete"}
    met = [*looks.problems, *in_the_way(record["peering"], deleted, looks)]
    problems = list({(one["code"], one["detail"]): one for one in met}.values())
    obstacles = [problem for problem in problems if PROBLEMS[problem["code"]].deadline is None]
    adopted = known.get("existing") == "adopted"
    return RemovalPlan(
        result="blocked" if obstacles else "hand back" if adopted else "remove",
        steps=[*objects, *earlier],
        obstacles=obstacles,
        waits=[problem for problem in problems if problem not in obstacles],
        warnings=may_be_in_the_way(deleted, looks),
    )


def _of_an_earlier_start(name: str, role: str, looks: RemovalLooks) -> RemovedObject:
    """A role that an earlier start created under another name."""
    is_assigned = last_part(role).lower() in looks.assigned_elsewhere
    kept = _SHARED if is_in_use(name, looks.neighbours) else _ASSIGNED if is_assigned else ""
    action: Removal = "keep" if kept else "delete"
    return _of_step("user_role", action, role, kept or f"An earlier start created it as {name}.")


def _left_assignment(assignment: str) -> RemovedObject:
    """An assignment on the VNet that is in no record: of an earlier start, or of a service principal that is gone."""
    return _of_step("platform_role_assignment", "delete", assignment, "An earlier start created it.")


def _of_step(name: StepName, action: Removal, identity: str | None, why: str) -> RemovedObject:
    step = next(step for step in STEPS if step.name == name)
    return RemovedObject(
        step=step.name, article_step=step.article_step, title=step.title, action=action, id=identity, why=why
    )


def _origin(record: Record, name: StepName) -> str | None:
    return record["objects"][name]["origin"] if name in record["objects"] else None


def _own_rights(peering: Peering, known: Facts) -> dict[StepName, bool]:
    """Which of the roles and assignments that are known have the GUIDs that this app gives."""
    made, named_by_app = {*made_role_names(peering, known).values()}, own_assignments(known, peering["vnet_id"])
    own = dict[StepName, bool]()
    for names in RIGHTS:
        role = named(known, names.role)
        if role is not None:
            own[names.role_step] = last_part(role).lower() in made
            own[names.assignment_step] = names.assignment_step in named_by_app
    return own


def _is_released(name: StepName, known: Facts, looks: RemovalLooks) -> bool:
    """Whether the assignment of a role, or that role, goes: nothing is handed back that needs it."""
    assignments = (
        named(known, names.assignment) for names in RIGHTS if name in (names.role_step, names.assignment_step)
    )
    return any(same_id(one, gone) for one in assignments for gone in looks.removed_assignments or ())


def _fate(name: StepName, record: Record, known: Facts, looks: RemovalLooks) -> tuple[Removal, str]:
    """What a removal would do to one object, and why it would stay."""
    peering, neighbours = record["peering"], looks.neighbours
    platform = (looks.principals or {}).get("platform_service_principal")
    if not looks.facts:
        return "unknown", ""
    has_application = known.get("application_object_id") is not None
    is_created = _origin(record, name) == "created"
    if known.get("existing") == "adopted" and (name in _HANDED_BACK or not is_created):
        is_gone = name in looks.gone or (name in _OF_APPLICATION and not has_application)
        why = "It replaces what was adopted, and stays." if is_created else "It was adopted and stays unchanged."
        return ("gone", "") if is_gone else ("hand back", why)
    if known.get("existing") == "adopted" and name in _NEEDED_BY and not _is_released(name, known, looks):
        return "keep", _NEEDED_BY[name]
    shared = {
        "user_role": is_in_use(peering["user_role_name"], neighbours),
        "platform_role": is_in_use(peering["platform_role_name"], neighbours),
        "platform_service_principal": neighbours["any"],
    }
    if shared.get(name):
        return "keep", _SHARED
    foreign = {
        **{name: not is_own for name, is_own in _own_rights(peering, known).items()},
        "platform_service_principal": platform is not None and not platform["marked"],
    }
    if foreign.get(name):
        return "keep", _NOT_OURS
    if name in _PRINCIPALS and looks.principals is None:
        return "unknown", ""
    identity = named(known, OBJECTS[name]) or ""
    is_removed = looks.removed_assignments is None or any(same_id(identity, one) for one in looks.removed_assignments)
    if name in _ASSIGNMENTS and identity and name not in looks.gone and not is_removed:
        return "keep", _SHARED if neighbours["on_vnet"] else _NEEDED
    if last_part(identity).lower() in looks.assigned_elsewhere:
        return "keep", _ASSIGNED
    there = {
        **dict.fromkeys(_OF_APPLICATION, has_application),
        "peering_connection": known.get("connection_to_remove") is not None,
        "vnet_peering": "vnet_peering_to_remove" in known,
        "platform_service_principal": platform is not None,
    }
    is_there = there.get(name, identity != "" and name not in looks.gone)
    return ("delete" if is_there else "gone"), ""
