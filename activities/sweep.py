"""The activities of a check of all peerings: it is divided, both clouds are looked at, and judged, in pieces."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast

from activities import looking
from activities.deliveries import begin_delivery
from activities.look_of_peering import Access, Directory, assemble, key_id_of, rights_of
from activities.looking import part
from activities.remote_errors import problem_of
from activities.verdicts import confirmed, note, problems_of, repair, settle
from clients import rows, sweeps
from clients.budgets import Bucket, budget, spending
from clients.durable import DurableClient
from clients.registry import registry
from clients.side_by_side import side_by_side
from peering.look import AssignmentLook, Part, ProjectVpcLook, SecretLook, Seen, Thing
from peering.naming import VNetId, secret_name
from peering.outcome import LOST, Occurrence
from peering.registry import Checked, Judged, Record, UnmanagedConnections
from peering.sweep import (
    VNETS_IN_A_PIECE,
    Division,
    Piece,
    PieceIds,
    PieceResult,
    SweepPlan,
    VpcToLookAt,
    asked_by,
    cut,
    looks_for_pieces,
    unmanaged,
    vpc_key,
)
from peering.webhook import Delivery

log: Final = logging.getLogger("aiven_azure_peering.health")

#: VNets that are looked at, and peerings that something is begun for, side by side.
_AT_ONCE: Final = 8
#: Peerings whose deliveries one activity begins.
_DELIVERIES: Final = 500
#: What a look at a VNet asks of Azure Resource Manager.
_READS_OF_A_VNET: Final = 3
_UNSEEN: Final = Occurrence(code=LOST, detail="The platform lost the look.")

#: The records of the peerings on one VNet.
_OnVNet = list[Record]
_Secrets = Part[dict[str, SecretLook]]
_Assignments = Part[list[AssignmentLook]]


@dataclass
class _Left:
    """What is left for some VNets.

    Their peerings by the VNets' numbers, project VPCs by key, assignments by subscription, secrets.
    """

    on_vnets: dict[int, _OnVNet] = field(default_factory=dict)
    vpcs: dict[str, Part[ProjectVpcLook]] = field(default_factory=dict)
    assignments: dict[str, _Assignments] = field(default_factory=dict)
    secrets: _Secrets = field(default_factory=lambda: Seen[dict[str, SecretLook]](found={}))


async def plan_sweep(at: str) -> SweepPlan:
    """Divide all peerings into pieces, and leave each piece what it needs of the registry."""
    await sweeps.clear()
    division, unreadable = Division(), 0
    async for row in registry().peerings():
        try:
            division.add(rows.read_peering(row))
        except (KeyError, ValueError):
            log.exception("event=row-unreadable peering=%s", row["RowKey"])
            unreadable += 1
    vnets, vpcs, subscriptions = division.vnets(), division.project_vpcs(), division.subscriptions()
    undelivered = list(cut(division.undelivered, _DELIVERIES))
    for number, piece in enumerate(vnets):
        await sweeps.put_vnets(at, number, [f"[{','.join(one.record for one in on_vnet)}]" for on_vnet in piece])
        there = [one for on_vnet in piece for one in on_vnet]
        ids = PieceIds(peerings=[one.id for one in there], principals=[one.principal for one in there])
        await sweeps.put_ids(at, number, ids)
    for number, some in enumerate(vpcs):
        await sweeps.put_project_vpcs(at, number, some)
    for number, waiting in enumerate(undelivered):
        await sweeps.put_undelivered(at, number, waiting)
    await sweeps.put_subscriptions(at, subscriptions)
    if not unreadable:
        await _forget_unmanaged(division)
    return SweepPlan(
        at=at,
        project_vpcs=sum(map(len, vpcs)),
        subscriptions=len(subscriptions),
        vnets=sum(map(len, vnets)),
        undelivered=len(undelivered),
        unreadable=unreadable,
    )


async def _forget_unmanaged(division: Division) -> None:
    """Forget what was found in project VPCs that no watched peering is in any more."""
    if gone := await registry().forget_unmanaged(division.watched):
        log.info("event=project-vpcs-forgotten count=%s", gone)


async def look_at_secrets(given: Piece) -> PieceResult:
    """The newest version of every secret of a peering, for the pieces: names, dates and key ids, never a value."""
    listed, ids = await asyncio.gather(part(looking.all_secrets), sweeps.ids(given["at"]))
    looks = {number: _only(listed, piece["peerings"]) for number, piece in ids.items()}
    await sweeps.put_looks(given, "secrets", looks)
    return _again(given["numbers"], [listed])


def _only(listed: _Secrets, ids: Sequence[str]) -> _Secrets:
    if "problem" in listed:
        return listed
    held = listed["found"] or {}
    return {"found": {name: held[name] for name in map(secret_name, ids) if name in held}}


async def look_at_assignments(given: Piece) -> PieceResult:
    """All role assignments in a subscription, for the pieces: those of their applications."""
    (number,) = given["numbers"]
    subscription = (await sweeps.subscriptions(given["at"]))[number]
    listed, ids = await asyncio.gather(
        part(lambda: looking.assignments_in_subscription(subscription)), sweeps.ids(given["at"])
    )
    looks = {piece: {subscription: _only_of(listed, one["principals"])} for piece, one in ids.items()}
    await sweeps.put_looks(given, "assignments", looks)
    return _again(given["numbers"], [listed])


def _only_of(listed: _Assignments, principals: Sequence[str]) -> _Assignments:
    if "problem" in listed:
        return listed
    wanted = frozenset(principals)
    return {"found": [one for one in listed["found"] or [] if one["principal_id"] in wanted]}


async def look_at_project_vpcs(given: Piece) -> PieceResult:
    """Aiven's side of some project VPCs, one call for each; and the connections that nobody here has made."""
    numbered = await sweeps.project_vpcs(given["at"], given["numbers"])
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(vpc: VpcToLookAt) -> Part[ProjectVpcLook]:
        async with gate:
            return await part(lambda: looking.project_vpc(vpc["project"], vpc["project_vpc_id"]))

    vpcs = list(numbered.values())
    looks = await asyncio.gather(*map(look, vpcs))
    await sweeps.put_looks(given, "vpcs", looks_for_pieces(vpcs, looks))
    await _note_unmanaged(vpcs, looks)
    return _again(numbered, looks)


def _again(numbers: Iterable[int], looks: Sequence[Part[Any]]) -> PieceResult:
    """The numbers of the looks that a remote asked to come back for, and when."""
    asked = {
        number: asked_by([look["problem"]]) for number, look in zip(numbers, looks, strict=True) if "problem" in look
    }
    return PieceResult(again=[number for number in asked if asked[number]], after=max(asked.values(), default=0.0))


async def _note_unmanaged(vpcs: Sequence[VpcToLookAt], looks: Sequence[Part[ProjectVpcLook]]) -> None:
    known = {vpc_key(one["project"], one["project_vpc_id"]): one for one in await registry().unmanaged()}
    for vpc, look in zip(vpcs, looks, strict=True):
        if "problem" in look or look["found"] is None:
            continue
        found = UnmanagedConnections(
            project=vpc["project"], project_vpc_id=vpc["project_vpc_id"], connections=unmanaged(vpc, look["found"])
        )
        if known.get(vpc_key(vpc["project"], vpc["project_vpc_id"])) != found:
            await registry().note_unmanaged(found)


async def check_vnets(given: Piece, client: DurableClient) -> PieceResult:
    """Look at some VNets, judge their peerings, note what is news, and begin what follows from it.

    A VNet that a remote asks to come back for is put off, but for the last time.
    """
    left = await _left_for(given)
    claimed, put_off = ({}, {}) if given["last"] else _claim(left.on_vnets)
    with spending(claimed):
        problems = await _found(left, {n: there for n, there in left.on_vnets.items() if n not in put_off}, given["at"])
    if not given["last"]:
        asked = {number: max(map(asked_by, found.values())) for number, found in problems.items()}
        put_off |= {number: seconds for number, seconds in asked.items() if seconds}
    seen = {number: left.on_vnets[number] for number in problems if number not in put_off}
    merged = {one: found for number in seen for one, found in problems[number].items()}
    noted = await _note(given, seen, merged, client)
    return {**noted, "put_off": list(put_off), "after": max(put_off.values(), default=0.0)}


def _claim(on_vnets: Mapping[int, _OnVNet]) -> tuple[Counter[Bucket], dict[int, float]]:
    """Claim the reads of VNets; returns them, and the VNets for which there were none to spare, each with seconds."""
    claimed, put_off = Counter[Bucket](), dict[int, float]()
    for number, there in on_vnets.items():
        bucket = Bucket("arm reads", _subscription(there))
        if seconds := budget(*bucket).claim_spare(_READS_OF_A_VNET):
            put_off[number] = seconds
        else:
            claimed[bucket] += _READS_OF_A_VNET
    return claimed, put_off


def _subscription(there: _OnVNet) -> str:
    return VNetId.parse(there[0]["peering"]["vnet_id"]).subscription_id.lower()


async def note_unseen(given: Piece, client: DurableClient) -> PieceResult:
    """Note of VNets whose check failed every time that nothing could be seen of their peerings."""
    on_vnets = (await _left_for(given)).on_vnets
    found = {record["peering"]["id"]: [_UNSEEN] for on_vnet in on_vnets.values() for record in on_vnet}
    return await _note(given, on_vnets, found, client)


async def end_sweep(at: str) -> None:
    """Note that a check of all has come to its end, and delete what its pieces have left."""
    await sweeps.note_end(at)
    await sweeps.clear()


async def _left_for(given: Piece) -> _Left:
    """What the plan and the looks have left for some VNets."""
    found = _Left()
    for piece in sorted({number // VNETS_IN_A_PIECE for number in given["numbers"]}):
        left = await sweeps.vnet_piece(given["at"], piece)
        there = [on_vnet for some in left["records"] for on_vnet in cast("list[_OnVNet]", some)]
        numbered = {piece * VNETS_IN_A_PIECE + place: on_vnet for place, on_vnet in enumerate(there)}
        found.on_vnets |= {number: numbered[number] for number in given["numbers"] if number in numbered}
        vpcs, assignments = dict[str, Part[ProjectVpcLook]](), dict[str, _Assignments]()
        for some in left["vpcs"]:
            vpcs |= _settled(cast("dict[str, Part[ProjectVpcLook]]", some))
        for one in left["assignments"]:
            assignments |= _settled(cast("dict[str, _Assignments]", one))
        found.vpcs = _joined(found.vpcs, vpcs, _with_connections_of_both)
        found.assignments = _joined(found.assignments, assignments, _assignments_of_both)
        listed = _settled({"": cast("_Secrets", (left["secrets"] or [{"problem": _UNSEEN}])[-1])})[""]
        if "problem" in listed or "problem" in found.secrets:
            found.secrets = listed if "problem" in listed else found.secrets
        else:
            found.secrets = {"found": {**(found.secrets["found"] or {}), **(listed["found"] or {})}}
    return found


def _settled(looks: Mapping[str, Part[Thing]]) -> dict[str, Part[Thing]]:
    """Looks that were taken again for as long as that was any good: nobody waits for them any more."""
    return {
        key: {"problem": {**look["problem"], "final": True}} if "problem" in look else look
        for key, look in looks.items()
    }


def _joined(
    one: Mapping[str, Part[Thing]],
    other: Mapping[str, Part[Thing]],
    join: Callable[[Thing | None, Thing | None], Thing | None],
) -> dict[str, Part[Thing]]:
    """What two pieces of VNets are told of the same things, together."""
    found = dict[str, Part[Thing]](one)
    for key, look in other.items():
        known = found.get(key)
        if known is None or "problem" in look:
            found[key] = look
        elif "problem" not in known:
            found[key] = {"found": join(known["found"], look["found"])}
    return found


def _with_connections_of_both(one: ProjectVpcLook | None, other: ProjectVpcLook | None) -> ProjectVpcLook | None:
    if one is None or other is None:
        return None
    return {**one, "connections": [*one["connections"], *other["connections"]]}


def _assignments_of_both(
    one: list[AssignmentLook] | None, other: list[AssignmentLook] | None
) -> list[AssignmentLook] | None:
    return [*(one or []), *(other or [])]


async def _found(left: _Left, on_vnets: Mapping[int, _OnVNet], at: str) -> dict[int, dict[str, list[Occurrence]]]:
    """Look at VNets, some side by side; what is wrong with each peering, by the VNets' numbers and by id."""
    records = [record for there in on_vnets.values() for record in there]
    secrets, directory = await asyncio.gather(
        _in_use(left.secrets, records), Directory.of(record["facts"] for record in records)
    )
    left.secrets, access, gate = secrets, Access(), asyncio.Semaphore(_AT_ONCE)

    async def check(there: _OnVNet) -> dict[str, list[Occurrence]]:
        async with gate:
            return await _problems_on(there, left, directory, access, at)

    return dict(zip(on_vnets, await asyncio.gather(*map(check, on_vnets.values())), strict=True))


async def _problems_on(
    there: _OnVNet, left: _Left, directory: Directory, access: Access, at: str
) -> dict[str, list[Occurrence]]:
    """What is wrong with each peering of a VNet, by id."""
    vnet_id, found = there[0]["peering"]["vnet_id"], dict[str, list[Occurrence]]()
    principals = {p for record in there for p in directory.principal_ids(record["facts"])}
    network, held = await asyncio.gather(part(lambda: looking.vnet(vnet_id)), part(lambda: access.on(vnet_id)))
    everywhere = left.assignments.get(_subscription(there), {"problem": _UNSEEN})
    rights = await rights_of(access, vnet_id, held, principals, everywhere)
    for record in there:
        peering, facts = record["peering"], record["facts"]
        vpc = left.vpcs.get(vpc_key(peering["project"], peering["project_vpc_id"]), {"problem": _UNSEEN})
        look = assemble(peering, facts, vpc, network, rights, left.secrets, directory)
        found[peering["id"]] = await confirmed(record, problems_of(record, look, at), at)
    return found


async def _in_use(listed: _Secrets, records: Sequence[Record]) -> _Secrets:
    """The secrets as listed, which shows the newest versions; where that is not the one in use, that one."""
    if "problem" in listed:
        return listed
    found = dict(listed["found"] or {})
    for record in records:
        name, key = secret_name(record["peering"]["id"]), key_id_of(record["facts"])
        if key is not None and name in found and found[name]["key_id"] != key:
            look = await part(partial(looking.one_secret, name, key))
            if "problem" in look:
                return look
            found |= look["found"] or {}
    return {"found": found}


async def _note(
    given: Piece, on_vnets: Mapping[int, _OnVNet], found: Mapping[str, list[Occurrence]], client: DurableClient
) -> PieceResult:
    """Note what was found and begin what follows; VNets that something failed for are to be checked again."""
    records = {record["peering"]["id"]: record for on_vnet in on_vnets.values() for record in on_vnet}
    checked = {one: Checked(revision=records[one]["revision"], problems=problems) for one, problems in found.items()}
    judged = await note(records, checked, given["at"])
    repairs = list[str]()

    async def follow(judged: tuple[str, Judged]) -> None:
        one, outcome = judged
        if outcome.undelivered:
            await begin_delivery(Delivery(id=one, deadlines=given["deadlines"], after=""), client)
        if outcome.repair and given["repairs"]:
            revision = records[one]["revision"]
            if await repair(one, outcome.repair, revision, given["at"], given["deadlines"], client):
                repairs.append(one)
        elif outcome.unsettled:
            await settle(one, given["at"], given["deadlines"], client)

    followed = await side_by_side(follow, judged.items(), at_once=_AT_ONCE)
    for (one, _), error in followed.failures:
        log.error("event=follow-up-failed peering=%s problem=%s", one, problem_of(error, "follow_up")["code"])
    failed = (records.keys() - judged.keys()) | {one for (one, _), _ in followed.failures}
    again = [number for number, there in on_vnets.items() if any(r["peering"]["id"] in failed for r in there)]
    done = [record for number, there in on_vnets.items() if number not in again for record in there]
    changed = sum(1 for outcome in judged.values() if outcome.change is not None)
    return PieceResult(checked=len(done), changed=changed, repairs=len(repairs), again=again)
