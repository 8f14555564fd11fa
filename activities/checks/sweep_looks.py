"""The first activities of a check of all peerings: it is divided, and data that VNets share is read."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from activities.looks import remotes
from activities.looks.remotes import part
from clients.registry import registry, rows, sweeps
from clients.registry.schema import is_newer
from clients.registry.table import etag_of
from peering.aiven_vpc import AivenVpc
from peering.facts import AssignmentLook
from peering.look import Part, SecretLook, VpcLook
from peering.naming import secret_name
from peering.record import UnmanagedConnections
from peering.sweep import Division, Piece, PieceIds, PieceResult, SweepPlan, VpcToLookAt, asked_by, cut
from peering.sweep_looks import assignments_for_pieces, looks_for_pieces, unmanaged

log: Final = logging.getLogger("aiven_azure_peering.health")

#: How many VPCs in Aiven are read in parallel.
_AT_ONCE: Final = 8
#: Peerings whose deliveries one activity begins.
_DELIVERIES: Final = 500

_Secrets = Part[dict[str, SecretLook]]


async def plan_sweep(at: str) -> SweepPlan:
    """Divide all peerings into batches, and store the registry data of each batch."""
    await sweeps.clear(at)
    division, unreadable = Division(), 0
    async for row in registry().peerings():
        if is_newer(row):
            log.error("event=row-newer key=%s", row["RowKey"])
            unreadable += 1
            continue
        try:
            division.add(rows.read_peering(row), etag_of(row), at)
        except (KeyError, ValueError):
            log.exception("event=row-unreadable peering=%s", row["RowKey"])
            unreadable += 1
    vnets, vpcs, subscriptions = division.vnets(), division.project_vpcs(), division.subscriptions()
    undelivered = list(cut(division.undelivered, _DELIVERIES))
    for number, piece in enumerate(vnets):
        await sweeps.put_vnets(at, number, (one.snapshot for on_vnet in piece for one in on_vnet))
    for number, ids in enumerate(division.ids()):
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
    """Delete the data of VPCs without a watched peering."""
    if gone := await registry().forget_unmanaged(division.watched):
        log.info("event=project-vpcs-forgotten count=%s", gone)


async def look_at_secrets(given: Piece) -> PieceResult:
    """The newest version of every secret of a peering, for the pieces: names, dates and key ids, never a value."""
    listed, ids = await asyncio.gather(part(remotes.all_secrets), sweeps.ids(given["at"]))
    looks = {number: _only(listed, piece["peerings"]) for number, piece in ids.items()}
    await sweeps.put_looks(given, "secrets", looks)
    return _again(given["numbers"], [listed])


def _only(listed: _Secrets, ids: Sequence[str]) -> _Secrets:
    if "problem" in listed:
        return listed
    held = listed["found"] or {}
    return {"found": {name: held[name] for name in map(secret_name, ids) if name in held}}


async def look_at_assignments(given: Piece) -> PieceResult:
    """All role assignments in a subscription, for the pieces: those that matter to them."""
    (number,) = given["numbers"]
    subscription = (await sweeps.subscriptions(given["at"]))[number]
    listed, ids = await asyncio.gather(
        part(lambda: remotes.assignments_in_subscription(subscription)), sweeps.ids(given["at"])
    )
    looks = {number: {subscription: told} for number, told in _for_pieces(listed, ids, subscription).items()}
    await sweeps.put_looks(given, "assignments", looks)
    return _again(given["numbers"], [listed])


def _for_pieces(
    listed: Part[list[AssignmentLook]], ids: dict[int, PieceIds], subscription: str
) -> dict[int, Part[list[AssignmentLook]]]:
    """The assignments for the pieces that have a VNet in the subscription."""
    within = f"/subscriptions/{subscription}/"
    there = {number: piece for number, piece in ids.items() if any(one.startswith(within) for one in piece["vnets"])}
    if "problem" in listed or listed["found"] is None:
        return dict.fromkeys(there, listed)
    return {number: {"found": told} for number, told in assignments_for_pieces(listed["found"], there).items()}


async def look_at_project_vpcs(given: Piece) -> PieceResult:
    """Aiven's side of some VPCs, one call for each; and the connections that this app did not create."""
    numbered = await sweeps.project_vpcs(given["at"], given["numbers"])
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(vpc: VpcToLookAt) -> Part[VpcLook]:
        async with gate:
            return await part(lambda: remotes.aiven_vpc(AivenVpc.of(vpc)))

    vpcs = list(numbered.values())
    looks = await asyncio.gather(*map(look, vpcs))
    await sweeps.put_looks(given, "vpcs", looks_for_pieces(vpcs, looks))
    await _note_unmanaged(vpcs, looks)
    return _again(numbered, looks)


def _again(numbers: Iterable[int], looks: Sequence[Part[Any]]) -> PieceResult:
    """The numbers of the throttled looks, and when to repeat them."""
    asked = {
        number: asked_by([look["problem"]]) for number, look in zip(numbers, looks, strict=True) if "problem" in look
    }
    return PieceResult(again=[number for number in asked if asked[number]], after=max(asked.values(), default=0.0))


async def _note_unmanaged(vpcs: Sequence[VpcToLookAt], looks: Sequence[Part[VpcLook]]) -> None:
    known = {AivenVpc.of(one).key: one for one in await registry().unmanaged()}
    for vpc, look in zip(vpcs, looks, strict=True):
        if "problem" in look or look["found"] is None:
            continue
        named = AivenVpc.of(vpc)
        found = UnmanagedConnections(**named.names, connections=unmanaged(vpc, look["found"]))
        if known.get(named.key) != found:
            await registry().note_unmanaged(found)
