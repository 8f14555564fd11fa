"""What a removal would do, drawn from the looks that it begins with. No I/O."""

from collections.abc import Collection
from typing import Final, Literal, TypedDict

from peering.checks import Neighbours
from peering.look import PrincipalLook
from peering.outcome import Fact, Facts, Occurrence
from peering.plan import OBJECTS, STEPS
from peering.problems import PROBLEMS
from peering.registry import Record

#: What becomes of an object: it is deleted, is handed back to whoever it was taken over from, stays because somebody
#: else needs it or made it, or is gone already. `unknown`: a look could not be had.
Removal = Literal["delete", "hand back", "keep", "gone", "unknown"]

_SHARED: Final = "Another peering of this app needs it."
_NOT_OURS: Final = "This app did not make it."


class RemovedObject(TypedDict):
    """One object of the peering, what a removal would do about it, and why it would stay."""

    step: str
    article_step: int
    title: str
    action: Removal
    id: str | None
    why: str


class RemovalPlan(TypedDict):
    """What a removal would do. Obstacles stop it; those that may clear by themselves it waits for."""

    result: Literal["remove", "hand back", "blocked"]
    steps: list[RemovedObject]
    obstacles: list[Occurrence]
    waits: list[Occurrence]


def removal_plan_of(
    record: Record,
    facts: Facts,
    neighbours: Neighbours,
    platform: PrincipalLook | None,
    problems: Collection[Occurrence],
) -> RemovalPlan:
    """The plan of a removal.

    Args:
        record: the peering's record.
        facts: what the removal's first step found; empty when it could not look.
        neighbours: who else of the registry needs what is shared.
        platform: the platform's service principal in the customer's tenant.
        problems: what the looks met.
    """
    known = record["facts"] | facts
    objects = [
        RemovedObject(
            step=step.name,
            article_step=step.article_step,
            title=step.title,
            action=action,
            id=_id(known.get(OBJECTS[step.name])),
            why=why,
        )
        for step in STEPS
        if step.name in OBJECTS
        for action, why in [_fate(step.name, record, known, neighbours, platform, seen=bool(facts))]
    ]
    obstacles = [problem for problem in problems if PROBLEMS[problem["code"]].deadline is None]
    adopted = known.get("existing") == "adopted"
    return RemovalPlan(
        result="blocked" if obstacles else "hand back" if adopted else "remove",
        steps=objects,
        obstacles=obstacles,
        waits=[problem for problem in problems if problem not in obstacles],
    )


def _id(fact: Fact) -> str | None:
    return fact if isinstance(fact, str) else None


def _origin(record: Record, name: str) -> str | None:
    return record["objects"][name]["origin"] if name in record["objects"] else None


def _fate(
    name: str, record: Record, known: Facts, neighbours: Neighbours, platform: PrincipalLook | None, *, seen: bool
) -> tuple[Removal, str]:
    """What a removal would do about one object, and why it would stay."""
    peering = record["peering"]
    if not seen:
        return "unknown", ""
    if known.get("existing") == "adopted" and _origin(record, name) != "created":
        return "hand back", "It was taken over and stays as it is."
    shared = {
        "user_role": peering["user_role_name"] in neighbours["roles"],
        "platform_role": peering["platform_role_name"] in neighbours["roles"],
        "platform_role_assignment": neighbours["on_vnet"],
        "platform_service_principal": neighbours["any"],
    }
    if shared.get(name):
        return "keep", _SHARED
    foreign = {
        "user_role": peering["role"] != "least-privilege",
        "platform_service_principal": platform is not None and not platform["marked"],
    }
    if foreign.get(name):
        return "keep", _NOT_OURS
    there = {
        "application": known.get("application_object_id") is not None,
        "user_service_principal": known.get("application_object_id") is not None,
        "application_credential": known.get("application_object_id") is not None,
        "peering_connection": known.get("connection_to_remove") is not None,
        "vnet_peering": "vnet_peering_to_remove" in known,
        "platform_service_principal": platform is not None,
    }
    return ("delete" if there.get(name, known.get(OBJECTS[name]) is not None) else "gone"), ""
