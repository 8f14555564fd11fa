"""The check of all peerings, or of one: look at both clouds, judge, note the verdicts, repair where that is safe.

What the platform or the registry fails for is tried again, and then costs no more than its own peerings their verdict.
"""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Final, Literal, TypeVar, cast

from orchestrators.durable import OrchestrationContext, Task, Workflow
from orchestrators.in_batches import in_batches
from orchestrators.lost import LOST, LostError, reliably
from orchestrators.run import Running
from peering.checks import (
    CheckedPeerings,
    CheckInput,
    FollowUp,
    NotedVerdicts,
    ProjectVpcScope,
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
from peering.spec import Deadlines

#: Project VPCs and VNets that one activity looks at.
BATCH: Final = 10
#: Peerings whose verdicts one activity notes, and of deliveries and orders that one begins.
NOTED_AT_ONCE: Final = 50

T = TypeVar("T")
_FollowUpKind = Literal["undelivered", "repairs", "unsettled"]
_Unseen: Final = Occurrence(code=LOST, detail="The platform lost the look.")


def check_health(context: OrchestrationContext) -> Workflow:
    """Look at every peering that is watched; note the verdicts; announce those that changed and begin repairs.

    Input: `CheckInput`. Output: how many peerings were checked, how many verdicts changed, how many repairs began;
    `failed`, if anything did: for how many things which activity failed, and `interrupted` if there was no beginning.
    """
    given = cast("CheckInput", context.get_input())
    check = _Check(context)
    try:
        yield from check.look(None)
    except LostError as error:
        return {"checked": 0, "changed": 0, "repairs": 0, "interrupted": str(error)}
    yield from check.note()
    yield from check.note_unmanaged()
    yield from check.follow_up(given)
    repairs = len(check.repairs) if given["repairs"] else 0
    found = {"checked": len(check.checked), "changed": check.changed, "repairs": repairs}
    failed = dict(+check.failed)
    return {**found, "failed": failed} if failed else found


def check_one(context: OrchestrationContext, peering_id: str) -> Generator[Task, object, "_Check"]:
    """Look at one peering and note the verdict; returns what was found.

    Raises:
        LostError: it could not be noted.
    """
    check = _Check(context)
    yield from check.look(peering_id)
    yield from check.note()
    if check.failed["note_verdicts"]:
        raise LostError("note_verdicts: the verdict was not noted")
    return check


class _Check:
    """The state of one check, rebuilt at every replay."""

    def __init__(self, context: OrchestrationContext) -> None:
        self.context = context
        self.at = context.current_utc_datetime.isoformat()
        self.scope = Scope(project_vpcs=[], vnets=[], undelivered=[], unreadable=[])
        self.project_vpcs: dict[str, Part[ProjectVpcLook]] = {}
        self.secrets: Part[dict[str, SecretLook]] = {"problem": _Unseen}
        self.checked: CheckedPeerings = {}
        self.changed = 0
        self.repairs: list[ToRepair] = []
        self.unsettled: list[str] = []
        self.undelivered: list[str] = []
        #: For how many things an activity failed every time.
        self.failed = Counter[str]()

    def look(self, only: str | None) -> Running:
        """See what there is to look at, and look: one call for each project VPC, for the vault, and for each VNet.

        Raises:
            LostError: nobody knows what there is to look at.
        """
        self.scope = cast("Scope", (yield from reliably(self.context, "check_scope", only)))
        self.undelivered += self.scope["undelivered"]
        self.failed["check_scope"] += len(self.scope["unreadable"])
        secrets = yield from self._unless_lost("look_at_secrets", only)
        self.secrets = cast("Part[dict[str, SecretLook]]", secrets or {"problem": _Unseen})
        vpcs, vnets = self.scope["project_vpcs"], self.scope["vnets"]
        self.project_vpcs = {vpc["key"]: {"problem": _Unseen} for vpc in vpcs}
        yield from self._batches("look_at_project_vpcs", vpcs, BATCH, list, self._take_vpcs)
        lost = yield from self._batches("check_vnets", vnets, BATCH, self._to_check, self._take_checked)
        self.checked |= _unseen(lost)

    def _batches(
        self,
        activity: str,
        things: Sequence[T],
        size: int,
        given: Callable[[Sequence[T]], object],
        take: Callable[[Sequence[T], object], Sequence[T]],
    ) -> Generator[Task, object, list[T]]:
        """`in_batches`; counts what failed every time."""
        failed = yield from in_batches(self.context, activity, things, size, given, take)
        self.failed[activity] += len(failed)
        return failed

    def _unless_lost(self, activity: str, given: object) -> Generator[Task, object, object]:
        """The result of an activity; None, and counted, when the platform lost it too often."""
        try:
            return (yield from reliably(self.context, activity, given))
        except LostError:
            self.failed[activity] += 1
            return None

    def _take_vpcs(self, _: Sequence[ProjectVpcScope], looks: object) -> Sequence[ProjectVpcScope]:
        self.project_vpcs |= cast("dict[str, Part[ProjectVpcLook]]", looks)
        return ()

    def _take_checked(self, _: Sequence[VNetScope], checked: object) -> Sequence[VNetScope]:
        self.checked |= cast("CheckedPeerings", checked)
        return ()

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
        yield from self._batches(
            "note_verdicts", sorted(self.checked), NOTED_AT_ONCE, self._verdicts, self._take_verdicts
        )

    def _verdicts(self, ids: Sequence[str]) -> Verdicts:
        return Verdicts(checked={one: self.checked[one] for one in ids}, at=self.at)

    def _take_verdicts(self, _: Sequence[str], noted: object) -> Sequence[str]:
        verdicts = cast("NotedVerdicts", noted)
        self.changed += verdicts["changed"]
        self.repairs += verdicts["repairs"]
        self.unsettled += verdicts["unsettled"]
        self.undelivered += verdicts["undelivered"]
        return verdicts["failed"]

    def note_unmanaged(self) -> Running:
        """Keep which connections no peering of the registry has, of the project VPCs that there are peerings with."""
        vpcs = self.scope["project_vpcs"]
        seen = [vpc for vpc in vpcs if "found" in self.project_vpcs[vpc["key"]]]
        yield from self._batches("note_unmanaged", seen, 1, self._unmanaged, lambda *_: ())
        # Nobody knows which project VPCs the peerings have whose rows cannot be read.
        if not self.scope["unreadable"]:
            yield from self._unless_lost("forget_unmanaged", [vpc["key"] for vpc in vpcs])

    def _unmanaged(self, batch: Sequence[ProjectVpcScope]) -> UnmanagedScope:
        scope = batch[0]
        vpc = if_seen(self.project_vpcs[scope["key"]])
        return UnmanagedScope(
            project=scope["project"],
            project_vpc_id=scope["project_vpc_id"],
            connections=vpc["connections"] if vpc is not None else [],
        )

    def follow_up(self, given: CheckInput) -> Running:
        """Begin what follows: deliveries, repairs if they are wanted, and checks of what a run has left unsettled."""
        follow_ups: dict[_FollowUpKind, Sequence[str | ToRepair]] = {
            "undelivered": list(dict.fromkeys(self.undelivered)),
            "repairs": self.repairs if given["repairs"] else [],
            "unsettled": self.unsettled,
        }
        for kind, things in follow_ups.items():
            to_follow = partial(self._to_follow, kind, given["deadlines"])
            yield from self._batches("follow_up", things, NOTED_AT_ONCE, to_follow, _failed_of)

    def _to_follow(self, kind: _FollowUpKind, deadlines: Deadlines, batch: Sequence[str | ToRepair]) -> FollowUp:
        nothing = FollowUp(repairs=[], unsettled=[], undelivered=[], deadlines=deadlines, at=self.at)
        return cast("FollowUp", {**nothing, kind: list(batch)})


def _failed_of(batch: Sequence[str | ToRepair], failed: object) -> list[str | ToRepair]:
    """Those of a batch that `follow_up` says it failed for."""
    ids = cast("list[str]", failed)
    return [thing for thing in batch if (thing if isinstance(thing, str) else thing["id"]) in ids]


def _unseen(vnets: Sequence[VNetScope]) -> CheckedPeerings:
    """What there is to say of peerings whose look was lost: nothing but that."""
    revisions = {one: revision for vnet in vnets for ids in vnet["peerings"].values() for one, revision in ids.items()}
    return {one: Checked(revision=revision, problems=[_Unseen]) for one, revision in revisions.items()}


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
