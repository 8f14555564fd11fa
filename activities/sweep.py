"""The activities of a check of all peerings: it is divided, both clouds are looked at, and judged, in pieces."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final, cast

from activities import looking
from activities.deliveries import deliver_events
from activities.look_of_peering import Access, Directory, assemble, key_id_of, rights_of
from activities.looking import part
from activities.verdicts import confirmed, note, problems_of, repair, settle
from clients import sweeps
from clients.durable import DurableClient
from clients.registry import registry
from peering.look import Part, ProjectVpcLook, SecretLook
from peering.naming import folded, secret_name
from peering.outcome import LOST, Occurrence
from peering.registry import Checked, Judged, Record, UnmanagedConnections
from peering.sweep import (
    Division,
    Piece,
    SweepCounts,
    SweepPlan,
    VpcToLookAt,
    looks_for_pieces,
    unmanaged,
    vpc_key,
)

log: Final = logging.getLogger("aiven_azure_peering.health")

#: VNets that are looked at, and peerings that something is begun for, side by side.
_AT_ONCE: Final = 8
_UNSEEN: Final = Occurrence(code=LOST, detail="The platform lost the look.")


async def plan_sweep(at: str) -> SweepPlan:
    """Divide all peerings into pieces, and leave each piece what it needs of the registry."""
    await sweeps.clear()
    division = Division()
    async for record in registry().records():
        division.add(record)
    vnets, vpcs = division.vnets(), division.project_vpcs()
    for number, piece in enumerate(vnets):
        await sweeps.put_vnets(at, number, [one.record for one in piece])
        await sweeps.put_ids(at, number, [one.id for one in piece])
    for number, some in enumerate(vpcs):
        await sweeps.put_project_vpcs(at, number, some)
    await _forget_unmanaged({vpc_key(v["project"], v["project_vpc_id"]) for some in vpcs for v in some})
    return SweepPlan(at=at, project_vpcs=len(vpcs), vnets=len(vnets))


async def _forget_unmanaged(keys: set[str]) -> None:
    """Forget what was found in project VPCs that no peering is in any more."""
    for found in await registry().unmanaged():
        if vpc_key(found["project"], found["project_vpc_id"]) not in keys:
            await registry().forget_unmanaged(found)


async def look_at_secrets(given: Piece) -> None:
    """The newest version of every secret of a peering, for the pieces: names, dates and key ids, never a value."""
    listed, ids = await asyncio.gather(part(looking.all_secrets), sweeps.ids(given["at"]))
    looks = {number: _only(listed, piece) for number, piece in ids.items()}
    await sweeps.put_looks(given["at"], "secrets", given["number"], looks)


def _only(listed: Part[dict[str, SecretLook]], ids: Sequence[str]) -> Part[dict[str, SecretLook]]:
    if "problem" in listed:
        return listed
    held = listed["found"] or {}
    return {"found": {name: held[name] for name in map(secret_name, ids) if name in held}}


async def look_at_project_vpcs(given: Piece) -> None:
    """Aiven's side of a piece, one call for each project VPC; and the connections that nobody here has made."""
    vpcs = await sweeps.project_vpcs(given["at"], given["number"])
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(vpc: VpcToLookAt) -> Part[ProjectVpcLook]:
        async with gate:
            return await part(lambda: looking.project_vpc(vpc["project"], vpc["project_vpc_id"]))

    looks = await asyncio.gather(*map(look, vpcs))
    await sweeps.put_looks(given["at"], "vpcs", given["number"], looks_for_pieces(vpcs, looks))
    await _note_unmanaged(vpcs, looks)


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


async def check_vnets(given: Piece, client: DurableClient) -> SweepCounts:
    """Look at a piece of VNets, judge their peerings, note what is news, and begin what follows from it."""
    left = await sweeps.vnet_piece(given["at"], given["number"])
    records = [record for some in left["records"] for record in cast("list[Record]", some)]
    vpcs = dict[str, Part[ProjectVpcLook]]()
    for some in left["vpcs"]:
        vpcs |= cast("dict[str, Part[ProjectVpcLook]]", some)
    unseen: Part[dict[str, SecretLook]] = {"problem": _UNSEEN}
    listed = next(iter(cast("list[Part[dict[str, SecretLook]]]", left["secrets"])), unseen)
    found = await _found(records, vpcs, await _in_use(listed, records), given["at"])
    return await _note(given, {record["peering"]["id"]: record for record in records}, found, client)


async def note_unseen(given: Piece, client: DurableClient) -> SweepCounts:
    """Note of a piece that was lost again and again that nothing could be seen of its peerings."""
    left = await sweeps.vnet_piece(given["at"], given["number"])
    records = {record["peering"]["id"]: record for some in left["records"] for record in cast("list[Record]", some)}
    return await _note(given, records, {one: [_UNSEEN] for one in records}, client)


async def end_sweep(at: str) -> None:
    """Note that a check of all has come to its end, and delete what its pieces have left."""
    await sweeps.note_end(at)
    await sweeps.clear()


async def _found(
    records: Sequence[Record],
    vpcs: Mapping[str, Part[ProjectVpcLook]],
    secrets: Part[dict[str, SecretLook]],
    at: str,
) -> dict[str, list[Occurrence]]:
    """What is wrong with each peering, by id."""
    directory = await Directory.of(record["facts"] for record in records)
    access, gate = Access(), asyncio.Semaphore(_AT_ONCE)
    on_vnet: dict[str, list[Record]] = {}
    for record in records:
        on_vnet.setdefault(folded(record["peering"]["vnet_id"]), []).append(record)

    async def check(there: list[Record]) -> dict[str, list[Occurrence]]:
        vnet_id = there[0]["peering"]["vnet_id"]
        principals = {p for record in there for p in directory.principal_ids(record["facts"])}
        async with gate:
            network, held = await asyncio.gather(part(lambda: looking.vnet(vnet_id)), part(lambda: access.on(vnet_id)))
            rights = await rights_of(access, vnet_id, held, principals)
            found = {}
            for record in there:
                peering, facts = record["peering"], record["facts"]
                vpc = vpcs.get(vpc_key(peering["project"], peering["project_vpc_id"]), {"problem": _UNSEEN})
                look = assemble(peering, facts, vpc, network, rights, secrets, directory)
                found[peering["id"]] = await confirmed(record, problems_of(record, look, at), at)
        return found

    merged: dict[str, list[Occurrence]] = {}
    for checked in await asyncio.gather(*map(check, on_vnet.values())):
        merged |= checked
    return merged


async def _in_use(listed: Part[dict[str, SecretLook]], records: Sequence[Record]) -> Part[dict[str, SecretLook]]:
    """The secrets as listed, which shows the newest versions; where that is not the one in use, that one."""
    if "problem" in listed:
        return listed
    found = dict(listed["found"] or {})
    for record in records:
        name, key = secret_name(record["peering"]["id"]), key_id_of(record["facts"])
        if key is not None and name in found and found[name]["key_id"] != key:
            look = await part(lambda name=name, key=key: looking.one_secret(name, key))  # type: ignore[misc] # lambdas' defaults have no types
            if "problem" in look:
                return look
            found |= look["found"] or {}
    return {"found": found}


async def _note(
    given: Piece, records: Mapping[str, Record], found: Mapping[str, list[Occurrence]], client: DurableClient
) -> SweepCounts:
    """Note what was found, and begin deliveries, repairs and what else follows."""
    checked = {one: Checked(revision=records[one]["revision"], problems=problems) for one, problems in found.items()}
    judged = await note(records, checked, given["at"])
    gate, repairs = asyncio.Semaphore(_AT_ONCE), list[str]()

    async def follow(one: str, outcome: Judged) -> None:
        async with gate:
            if outcome.undelivered:
                await deliver_events(one, given["deadlines"], client)
            if outcome.repair and given["repairs"]:
                revision = records[one]["revision"]
                if await repair(one, outcome.repair, revision, given["at"], given["deadlines"], client):
                    repairs.append(one)
            elif outcome.unsettled:
                await settle(one, given["at"], given["deadlines"], client)

    outcomes = await asyncio.gather(*(follow(one, o) for one, o in judged.items()), return_exceptions=True)
    for one, failed in zip(judged, outcomes, strict=True):
        if isinstance(failed, Exception):
            log.error("event=follow-up-failed peering=%s", one, exc_info=failed)
    changed = sum(1 for outcome in judged.values() if outcome.change is not None)
    return SweepCounts(checked=len(records), changed=changed, repairs=len(repairs))
