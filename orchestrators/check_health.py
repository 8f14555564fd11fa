"""The check of all peerings, or of one: look at both clouds, judge, note the verdicts, repair where that is safe."""

from collections.abc import Generator, Iterable, Sequence
from typing import Final, TypeVar, cast

from orchestrators.durable import OrchestrationContext, Task, Workflow
from orchestrators.lost import LOST, LostError, reliably
from orchestrators.run import Running
from peering.checks import (
    CheckedPeerings,
    CheckInput,
    FollowUp,
    NotedVerdicts,
    Scope,
    ToRepair,
    UnmanagedScope,
    Verdicts,
    VNetScope,
    VNetsToCheck,
)
from peering.look import Part, ProjectVpcLook, SecretLook, if_seen
from peering.naming import VNetId, folded, secret_name
from peering.outcome import Occurrence
from peering.registry import Checked

#: Project VPCs and VNets that one activity looks at, and activities at a time.
BATCH: Final = 10
PARALLEL: Final = 8
#: Peerings whose verdicts one activity notes.
NOTED_AT_ONCE: Final = 50

_Thing = TypeVar("_Thing")
_Unseen: Final = Occurrence(code=LOST, detail="The platform lost the look.")


def check_health(context: OrchestrationContext) -> Workflow:
    """Look at every peering that is watched; note the verdicts; announce those that changed and begin repairs.

    Input: `CheckInput`. Output: how many peerings were checked, how many verdicts changed, how many repairs began.
    """
    given = cast("CheckInput", context.get_input())
    check = _Check(context)
    try:
        yield from check.look(None)
        yield from check.note()
        yield from check.note_unmanaged()
        repairs = check.repairs if given["repairs"] else []
        most = max(len(repairs), len(check.unsettled), len(check.undelivered))
        for start in range(0, most, NOTED_AT_ONCE):
            batch = slice(start, start + NOTED_AT_ONCE)
            follow_up = FollowUp(
                repairs=repairs[batch],
                unsettled=check.unsettled[batch],
                undelivered=check.undelivered[batch],
                deadlines=given["deadlines"],
                at=check.at,
            )
            yield from reliably(context, "follow_up", follow_up)
    except LostError as error:
        return {"checked": len(check.checked), "changed": check.changed, "repairs": 0, "interrupted": str(error)}
    return {"checked": len(check.checked), "changed": check.changed, "repairs": len(repairs)}


def check_one(context: OrchestrationContext, peering_id: str) -> Generator[Task, object, "_Check"]:
    """Look at one peering and note the verdict; returns what was found."""
    check = _Check(context)
    yield from check.look(peering_id)
    yield from check.note()
    return check


class _Check:
    """The state of one check, rebuilt at every replay."""

    def __init__(self, context: OrchestrationContext) -> None:
        self.context = context
        self.at = context.current_utc_datetime.isoformat()
        self.scope = Scope(project_vpcs=[], vnets=[])
        self.project_vpcs: dict[str, Part[ProjectVpcLook]] = {}
        self.secrets: Part[dict[str, SecretLook]] = {"problem": _Unseen}
        self.checked: CheckedPeerings = {}
        self.changed = 0
        self.repairs: list[ToRepair] = []
        self.unsettled: list[str] = []
        self.undelivered: list[str] = []

    def look(self, only: str | None) -> Running:
        """See what there is to look at, and look: one call for each project VPC, for the vault, and for each VNet."""
        self.scope = cast("Scope", (yield from reliably(self.context, "check_scope", only)))
        (secrets,) = yield from self._side_by_side("look_at_secrets", [only])
        self.secrets = cast("Part[dict[str, SecretLook]]", secrets or {"problem": _Unseen})
        for window in _windows(self.scope["project_vpcs"]):
            looks = yield from self._side_by_side("look_at_project_vpcs", window)
            for keys, look in zip(window, looks, strict=True):
                unseen = {key["key"]: {"problem": _Unseen} for key in keys}
                self.project_vpcs |= cast("dict[str, Part[ProjectVpcLook]]", look or unseen)
        for vnets in _windows(self.scope["vnets"]):
            looks = yield from self._side_by_side("check_vnets", [self._to_check(batch) for batch in vnets])
            for batch, look in zip(vnets, looks, strict=True):
                self.checked |= cast("CheckedPeerings", look or _unseen(batch))

    def _side_by_side(self, activity: str, inputs: Sequence[object]) -> Generator[Task, object, list[object]]:
        """The results of an activity for some inputs at once; None where the platform lost one twice."""
        results: list[object] = [None] * len(inputs)
        left = list(range(len(inputs)))
        for _ in range(2):
            tasks = [self.context.call_activity(activity, inputs[number]) for number in left]
            pending = list(tasks)
            while pending:
                ended = cast("Task", (yield self.context.task_any(pending)))
                pending.remove(ended)
            ended_well = [
                (n, t.result) for n, t in zip(left, tasks, strict=True) if not isinstance(t.result, BaseException)
            ]
            for number, result in ended_well:
                results[number] = result
            left = [number for number in left if number not in {n for n, _ in ended_well}]
            if not left:
                break
        return results

    def _to_check(self, vnets: Sequence[VNetScope]) -> VNetsToCheck:
        """The input for some VNets, with no more of the other looks than concerns them: it goes into the history."""
        keys = {key for vnet in vnets for key in vnet["peerings"]}
        names = {_names(vnet["vnet_id"]) for vnet in vnets}
        ids = {secret_name(one) for vnet in vnets for ids in vnet["peerings"].values() for one in ids}
        secrets = self.secrets
        if (held := if_seen(secrets)) is not None:
            secrets = {"found": {name: held[name] for name in sorted(ids & set(held))}}
        vpcs = {key: _only(self.project_vpcs[key], names) for key in sorted(keys)}
        return VNetsToCheck(vnets=list(vnets), project_vpcs=vpcs, secrets=secrets, at=self.at)

    def note(self) -> Running:
        """Let the registry judge what was found."""
        found = sorted(self.checked.items())
        batches = [dict(found[start : start + NOTED_AT_ONCE]) for start in range(0, len(found), NOTED_AT_ONCE)]
        for batch in batches:
            noted = yield from reliably(self.context, "note_verdicts", Verdicts(checked=batch, at=self.at))
            verdicts = cast("NotedVerdicts", noted)
            self.changed += verdicts["changed"]
            self.repairs += verdicts["repairs"]
            self.unsettled += verdicts["unsettled"]
            self.undelivered += verdicts["undelivered"]

    def note_unmanaged(self) -> Running:
        """Keep which connections no peering of the registry has."""
        for scope in self.scope["project_vpcs"]:
            if (vpc := if_seen(self.project_vpcs[scope["key"]])) is not None:
                found = UnmanagedScope(
                    project=scope["project"], project_vpc_id=scope["project_vpc_id"], connections=vpc["connections"]
                )
                yield from reliably(self.context, "note_unmanaged", found)


def _unseen(vnets: Sequence[VNetScope]) -> CheckedPeerings:
    """What there is to say of peerings whose look was lost: nothing but that."""
    revisions = {one: revision for vnet in vnets for ids in vnet["peerings"].values() for one, revision in ids.items()}
    return {one: Checked(revision=revision, problems=[_Unseen]) for one, revision in revisions.items()}


def _windows(items: Sequence[_Thing]) -> Iterable[list[Sequence[_Thing]]]:
    """The items in batches, so many batches at a time."""
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    return (batches[start : start + PARALLEL] for start in range(0, len(batches), PARALLEL))


def _names(vnet_id: str) -> tuple[str, str, str]:
    vnet = VNetId.parse(vnet_id)
    return folded(vnet.subscription_id), folded(vnet.resource_group), folded(vnet.name)


def _only(look: Part[ProjectVpcLook], names: set[tuple[str, str, str]]) -> Part[ProjectVpcLook]:
    vpc = if_seen(look)
    if vpc is None:
        return look
    kept = [
        c for c in vpc["connections"] if (folded(c["account"]), folded(c["resource_group"]), folded(c["vnet"])) in names
    ]
    return {"found": {**vpc, "connections": kept}}
