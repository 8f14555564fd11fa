"""The activities of a check of all peerings that assess a batch of VNets at a time, from earlier reads."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Final

from activities.checks.deliveries import begin_delivery
from activities.checks.verdicts import confirmed, note, problems_of, repair, settle
from activities.looks import remotes
from activities.looks.peering import Access, Directory, assemble, rights_of, secret_in_use
from activities.looks.remotes import part
from activities.remote_errors import problem_of
from clients.budgets import Bucket, budget, spending
from clients.connections import in_bulk
from clients.durable import DurableClient
from clients.registry import sweeps
from clients.registry.tables import Held
from clients.side_by_side import side_by_side
from peering.aiven_vpc import AivenVpc
from peering.facts import AssignmentLook
from peering.look import Part, SecretLook, Seen, Thing, Unseen, VpcLook
from peering.naming import VNetId, folded, secret_name
from peering.outcome import LOST, Occurrence
from peering.record import Record
from peering.sweep import (
    VNETS_IN_A_PIECE,
    Piece,
    PieceResult,
    Snapshot,
    asked_by,
)
from peering.sweep_looks import by_scope, in_force_on
from peering.verdicts import Checked, Judged
from peering.webhook import Delivery

log: Final = logging.getLogger("aiven_azure_peering.health")

#: How many VNets are read, and peerings are followed up, in parallel.
_AT_ONCE: Final = 8
#: The requests to Azure Resource Manager for a VNet, and those if its role assignments are listed, too.
_READS_OF_A_VNET: Final = 2
_READS_WITH_ASSIGNMENTS: Final = 3
_UNSEEN: Final = Occurrence(code=LOST, detail="The platform lost the call.")
_UNSEEN_PART: Final = Unseen(problem=_UNSEEN)

#: The records of the peerings on one VNet.
_OnVNet = list[Record]
_Secrets = Part[dict[str, SecretLook]]
_Assignments = Part[list[AssignmentLook]]
_ByScope = dict[str, list[AssignmentLook]]


@dataclass
class _Left:
    """The intermediate data of some VNets.

    Their peerings by the VNets' numbers, with the ETags of their rows by id; VPCs by key, assignments by
    subscription, secrets.
    """

    on_vnets: dict[int, _OnVNet] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    vpcs: dict[str, Part[VpcLook]] = field(default_factory=dict)
    assignments: dict[str, _Assignments] = field(default_factory=dict)
    secrets: _Secrets = field(default_factory=lambda: Seen[dict[str, SecretLook]](found={}))


async def check_vnets(given: Piece, client: DurableClient) -> PieceResult:
    """Read some VNets, assess their peerings, write changed verdicts, and start repairs and deliveries.

    A VNet that a remote service throttles is deferred, except in the last attempt.
    """
    left = await _left_for(given)
    claimed, put_off = ({}, {}) if given["last"] else _claim(left)
    with spending(claimed), in_bulk():
        problems = await _found(left, {n: there for n, there in left.on_vnets.items() if n not in put_off}, given["at"])
    if not given["last"]:
        asked = {number: max(map(asked_by, found.values())) for number, found in problems.items()}
        put_off |= {number: seconds for number, seconds in asked.items() if seconds}
    seen = {number: left.on_vnets[number] for number in problems if number not in put_off}
    merged = {one: found for number in seen for one, found in problems[number].items()}
    noted = await _note(given, left, seen, merged, client)
    return {**noted, "put_off": list(put_off), "after": max(put_off.values(), default=0.0)}


def _claim(left: _Left) -> tuple[Counter[Bucket], dict[int, float]]:
    """Claim the reads of VNets; returns them, and the VNets without enough budget, each with seconds."""
    claimed, put_off = Counter[Bucket](), dict[int, float]()
    for number, there in left.on_vnets.items():
        bucket, reads = Bucket("arm reads", _subscription(there)), _reads(left, there)
        if seconds := budget(*bucket).claim_spare(reads):
            put_off[number] = seconds
        else:
            claimed[bucket] += reads
    return claimed, put_off


def _reads(left: _Left, there: _OnVNet) -> int:
    listed = left.assignments.get(_subscription(there))
    forbidden = listed is not None and "found" in listed and listed["found"] is None
    return _READS_WITH_ASSIGNMENTS if forbidden else _READS_OF_A_VNET


def _subscription(there: _OnVNet) -> str:
    return VNetId.parse(there[0]["peering"]["vnet_id"]).subscription_id.lower()


async def note_unseen(given: Piece, client: DurableClient) -> PieceResult:
    """Record that the peerings of VNets whose check failed every time could not be read."""
    left = await _left_for(given)
    found = {record["peering"]["id"]: [_UNSEEN] for on_vnet in left.on_vnets.values() for record in on_vnet}
    return await _note(given, left, left.on_vnets, found, client)


async def end_sweep(at: str) -> None:
    """Record that a check of all has ended, and delete its intermediate data."""
    await sweeps.note_end(at)
    await sweeps.note_ended()
    await sweeps.clear(f"{at}~")


async def _left_for(given: Piece) -> _Left:
    """The stored data for some VNets: their peerings, and the looks that concern them."""
    found = _Left()
    for piece in sorted({number // VNETS_IN_A_PIECE for number in given["numbers"]}):
        left = await sweeps.vnet_piece(given["at"], piece)
        records = [one for part in left["records"] for one in part]
        there = [list(on_vnet) for _, on_vnet in groupby(records, key=_vnet_of)]
        numbered = {piece * VNETS_IN_A_PIECE + place: on_vnet for place, on_vnet in enumerate(there)}
        for number in (number for number in given["numbers"] if number in numbered):
            found.on_vnets[number] = [one["record"] for one in numbered[number]]
            found.etags |= {one["record"]["peering"]["id"]: one["etag"] for one in numbered[number]}
        vpcs, assignments = dict[str, Part[VpcLook]](), dict[str, _Assignments]()
        for some in left["vpcs"]:
            vpcs |= _settled(some)
        for one in left["assignments"]:
            assignments |= _settled(one)
        found.vpcs = _joined(found.vpcs, vpcs, _with_connections_of_both)
        found.assignments = _joined(found.assignments, assignments, _assignments_of_both)
        listed = _settled({"": (left["secrets"] or [_UNSEEN_PART])[-1]})[""]
        if "problem" in listed or "problem" in found.secrets:
            found.secrets = listed if "problem" in listed else found.secrets
        else:
            found.secrets = {"found": {**(found.secrets["found"] or {}), **(listed["found"] or {})}}
    return found


def _vnet_of(snapshot: Snapshot) -> str:
    return folded(snapshot["record"]["peering"]["vnet_id"])


def _settled(looks: Mapping[str, Part[Thing]]) -> dict[str, Part[Thing]]:
    """Looks that were repeated as long as useful: they are no longer awaited."""
    return {
        key: {"problem": {**look["problem"], "final": True}} if "problem" in look else look
        for key, look in looks.items()
    }


def _joined(
    one: Mapping[str, Part[Thing]],
    other: Mapping[str, Part[Thing]],
    join: Callable[[Thing | None, Thing | None], Thing | None],
) -> dict[str, Part[Thing]]:
    """The merged data of two batches of VNets about the same objects."""
    found = dict[str, Part[Thing]](one)
    for key, look in other.items():
        known = found.get(key)
        if known is None or "problem" in look:
            found[key] = look
        elif "problem" not in known:
            found[key] = {"found": join(known["found"], look["found"])}
    return found


def _with_connections_of_both(one: VpcLook | None, other: VpcLook | None) -> VpcLook | None:
    if one is None or other is None:
        return None
    return {**one, "connections": [*one["connections"], *other["connections"]]}


def _assignments_of_both(
    one: list[AssignmentLook] | None, other: list[AssignmentLook] | None
) -> list[AssignmentLook] | None:
    if one is None or other is None:
        return None
    return list({assignment["id"]: assignment for assignment in (*one, *other)}.values())


async def _found(left: _Left, on_vnets: Mapping[int, _OnVNet], at: str) -> dict[int, dict[str, list[Occurrence]]]:
    """Check VNets, some in parallel; returns the problems of each peering, by the VNets' numbers and by id."""
    if not on_vnets:
        return {}
    records = [record for there in on_vnets.values() for record in there]
    secrets, directory = await asyncio.gather(
        _in_use(left.secrets, records), Directory.of(record["facts"] for record in records)
    )
    left.secrets, access, gate = secrets, Access(), asyncio.Semaphore(_AT_ONCE)
    scopes = {
        subscription: by_scope(listed["found"])
        for subscription, listed in left.assignments.items()
        if "found" in listed and listed["found"] is not None
    }

    async def check(there: _OnVNet) -> dict[str, list[Occurrence]]:
        async with gate:
            return await _problems_on(there, left, scopes.get(_subscription(there)), directory, access, at)

    return dict(zip(on_vnets, await asyncio.gather(*map(check, on_vnets.values())), strict=True))


async def _problems_on(
    there: _OnVNet, left: _Left, scopes: _ByScope | None, directory: Directory, access: Access, at: str
) -> dict[str, list[Occurrence]]:
    """The problems of each peering of a VNet, by id; `scopes` has its subscription's assignments, if read."""
    vnet_id, found = there[0]["peering"]["vnet_id"], dict[str, list[Occurrence]]()
    principals = {p for record in there for p in directory.principal_ids(record["facts"])}
    everywhere = left.assignments.get(_subscription(there), _UNSEEN_PART)
    network, held = await asyncio.gather(
        part(lambda: remotes.vnet(vnet_id)), _held_on(vnet_id, everywhere, scopes, access)
    )
    rights = await rights_of(access, vnet_id, held, principals, everywhere)
    for record in there:
        peering, facts = record["peering"], record["facts"]
        vpc = left.vpcs.get(AivenVpc.of(peering).key, _UNSEEN_PART)
        look = assemble(peering, facts, vpc, network, rights, left.secrets, directory)
        found[peering["id"]] = await confirmed(record, problems_of(record, look, at), at)
    return found


async def _held_on(vnet_id: str, everywhere: _Assignments, scopes: _ByScope | None, access: Access) -> _Assignments:
    """The assignments in force on a VNet: from those of its subscription, unless the app may not read them."""
    if "problem" in everywhere:
        return everywhere
    if scopes is None:
        return await part(lambda: access.on(vnet_id))
    # The assessment reads the roles; to do so in parallel costs no further call.
    await part(lambda: access.custom_roles(vnet_id))
    return {"found": in_force_on(vnet_id, scopes)}


async def _in_use(listed: _Secrets, records: Sequence[Record]) -> _Secrets:
    """The secrets as listed, with their newest versions; if another version is in use, that one."""
    if "problem" in listed:
        return listed
    found = dict(listed["found"] or {})
    for record in records:
        name, (version, key) = secret_name(record["peering"]["id"]), secret_in_use(record["facts"])
        if key is not None and name in found and found[name]["key_id"] != key:
            look = await part(partial(remotes.one_secret, name, version, key))
            if "problem" in look:
                return look
            found |= look["found"] or {}
    return {"found": found}


async def _note(
    given: Piece,
    left: _Left,
    on_vnets: Mapping[int, _OnVNet],
    found: Mapping[str, list[Occurrence]],
    client: DurableClient,
) -> PieceResult:
    """Write the verdicts and start the follow-up; VNets with a failure are to be checked again."""
    records = {record["peering"]["id"]: record for on_vnet in on_vnets.values() for record in on_vnet}
    checked = {one: Checked(revision=records[one]["revision"], problems=problems) for one, problems in found.items()}
    held = {one: Held(record, left.etags[one]) for one, record in records.items()}
    judged = await note(held, checked, given["at"])
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
