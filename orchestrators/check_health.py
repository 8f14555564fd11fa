"""The check of all peerings, or of one: look at both clouds, judge, note the verdicts, repair where that is safe."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar, cast

from azure.durable_functions import EntityId

from orchestrators.durable import OrchestrationContext, Workflow
from orchestrators.run import Running
from peering.checks import CheckedPeerings, CheckInput, FollowUp, Scope, VNetScope, VNetsToCheck
from peering.look import Part, ProjectVpcLook, SecretLook
from peering.naming import VNetId, secret_name
from peering.registry import ENTITY, Examination, ExaminationResult

#: Project VPCs and VNets that one activity looks at, and activities at a time.
BATCH: Final = 10
PARALLEL: Final = 8
#: The instance id of the scheduled check: while one runs, the engine starts no second.
SWEEP: Final = "health-sweep"

_Thing = TypeVar("_Thing")


def check_health(context: OrchestrationContext) -> Workflow:
    """Look at every peering, or at one; note the verdicts; announce those that changed and begin repairs.

    Input: `CheckInput`. Output: how many peerings were checked, how many verdicts changed, how many repairs began.
    """
    given = cast("CheckInput", context.get_input())
    scope = cast("Scope", (yield context.call_activity("check_scope", given)))
    check = _Check(context, given, scope)
    yield from check.look_at_aiven_and_vault()
    yield from check.look_at_vnets()
    yield from check.examine()
    follow_up = FollowUp(
        changes=check.result["changes"],
        repairs=check.result["repairs"] if given["repairs"] else [],
        deadlines=given["deadlines"],
        at=check.at,
    )
    yield context.call_activity("follow_up", follow_up)
    return {"checked": check.count, "changed": len(follow_up["changes"]), "repairs": len(follow_up["repairs"])}


class _Check:
    """The state of one check, rebuilt at every replay."""

    def __init__(self, context: OrchestrationContext, given: CheckInput, scope: Scope) -> None:
        self.context, self.given, self.scope = context, given, scope
        self.at = context.current_utc_datetime.isoformat()
        self.project_vpcs: dict[str, Part[ProjectVpcLook]] = {}
        self.secrets: Part[dict[str, SecretLook]] = {}
        self.checked: CheckedPeerings = {}
        self.result = ExaminationResult(changes=[], repairs=[])

    @property
    def count(self) -> int:
        """How many peerings were judged."""
        return sum(map(len, self.checked.values()))

    def look_at_aiven_and_vault(self) -> Running:
        """One call for each project VPC; the vault as a whole."""
        self.secrets = cast(
            "Part[dict[str, SecretLook]]",
            (yield self.context.call_activity("look_at_secrets", self.given["only"] and self.given["only"]["id"])),
        )
        for window in _windows(self.scope["project_vpcs"]):
            looks = yield self.context.task_all(
                [self.context.call_activity("look_at_project_vpcs", keys) for keys in window]
            )
            for look in cast("list[dict[str, Part[ProjectVpcLook]]]", looks):
                self.project_vpcs |= look

    def look_at_vnets(self) -> Running:
        """One list of peerings for each VNet, and what else it takes to judge them."""
        for window in _windows(self.scope["vnets"]):
            looks = yield self.context.task_all(
                [self.context.call_activity("check_vnets", self._to_check(vnets)) for vnets in window]
            )
            for look in cast("list[CheckedPeerings]", looks):
                for key, checked in look.items():
                    self.checked.setdefault(key, {}).update(checked)

    def _to_check(self, vnets: Sequence[VNetScope]) -> VNetsToCheck:
        """The input for some VNets, with no more of the other looks than concerns them: it goes into the history."""
        keys = {key for vnet in vnets for key in vnet["peerings"]}
        names = {_names(vnet["vnet_id"]) for vnet in vnets}
        ids = {secret_name(one) for vnet in vnets for ids in vnet["peerings"].values() for one in ids}
        secrets = self.secrets
        if (held := secrets.get("found")) is not None:
            secrets = {"found": {name: held[name] for name in sorted(ids & set(held))}}
        vpcs = {key: _only(self.project_vpcs[key], names) for key in sorted(keys)}
        return VNetsToCheck(vnets=list(vnets), project_vpcs=vpcs, secrets=secrets, at=self.at)

    def examine(self) -> Running:
        """Let the registry judge what was found."""
        for key, look in self.project_vpcs.items():
            vpc = look.get("found")
            examination = Examination(
                at=self.at,
                connections=vpc["connections"] if vpc is not None and self.given["only"] is None else None,
                checked=self.checked.get(key, {}),
            )
            answer = yield self.context.call_entity(EntityId(ENTITY, key), "examine", examination)
            result = cast("ExaminationResult", answer)
            self.result["changes"] += result["changes"]
            self.result["repairs"] += result["repairs"]


def _windows(items: Sequence[_Thing]) -> Iterable[list[Sequence[_Thing]]]:
    """The items in batches, so many batches at a time."""
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    return (batches[start : start + PARALLEL] for start in range(0, len(batches), PARALLEL))


def _names(vnet_id: str) -> tuple[str, str, str]:
    vnet = VNetId.parse(vnet_id)
    return vnet.subscription_id.casefold(), vnet.resource_group.casefold(), vnet.name.casefold()


def _only(look: Part[ProjectVpcLook], names: set[tuple[str, str, str]]) -> Part[ProjectVpcLook]:
    vpc = look.get("found")
    if vpc is None:
        return look
    kept = [
        c
        for c in vpc["connections"]
        if (c["account"].casefold(), c["resource_group"].casefold(), c["vnet"].casefold()) in names
    ]
    return {"found": {**vpc, "connections": kept}}
