"""The activities of a check: what to look at, the looks at both clouds, and the comparison with the registry."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypedDict, cast

from activities import looking
from activities.look_of_peering import Access, Directory, assemble, key_id_of, look_of_peering, rights_of
from activities.looking import part
from clients.registry import registry
from peering.checks import CheckedPeerings, ProjectVpcScope, Scope, VNetScope, VNetsToCheck, vpc_key
from peering.health import DRIFT, findings
from peering.look import Look, Part, ProjectVpcLook, SecretLook
from peering.naming import VNetId, folded, secret_name
from peering.outcome import Facts, Occurrence
from peering.registry import Checked, Record, is_busy
from peering.spec import Peering

log: Final = logging.getLogger("aiven_azure_peering.health")

#: VNets that are looked at side by side.
_AT_ONCE: Final = 8


class _ToCheck(TypedDict):
    """A peering to check, as of a revision of its record."""

    id: str
    project: str
    project_vpc_id: str
    vnet_id: str
    revision: int


async def check_scope(only: str | None) -> Scope:
    """What a check has to look at: the watched peerings, or one, except those that a run is at work on."""
    scopes, vnets = dict[str, ProjectVpcScope](), dict[str, VNetScope]()
    for found in await _to_check(only):
        key = vpc_key(found["project"], found["project_vpc_id"])
        scopes.setdefault(
            key, ProjectVpcScope(key=key, project=found["project"], project_vpc_id=found["project_vpc_id"])
        )
        vnet_id = str(VNetId.parse(found["vnet_id"]))
        vnet = vnets.setdefault(folded(vnet_id), VNetScope(vnet_id=vnet_id, peerings={}))
        vnet["peerings"].setdefault(key, {})[found["id"]] = found["revision"]
    return Scope(project_vpcs=list(scopes.values()), vnets=[vnets[vnet_id] for vnet_id in sorted(vnets)])


async def _to_check(only: str | None) -> list[_ToCheck]:
    if only is None:
        names = ("owner", "project_vpc_id", "vnet_id", "revision")
        found = await registry().columns("watched eq true and busy eq false", *names)
        return [
            _ToCheck(
                id=str(row["RowKey"]),
                project=str(row["owner"]),
                project_vpc_id=str(row["project_vpc_id"]),
                vnet_id=str(row["vnet_id"]),
                revision=int(cast("int", row["revision"])),
            )
            for row in found
        ]
    record = await registry().record(only)
    if record is None or is_busy(record):
        return []
    peering = record["peering"]
    return [
        _ToCheck(
            id=only,
            project=peering["project"],
            project_vpc_id=peering["project_vpc_id"],
            vnet_id=peering["vnet_id"],
            revision=record["revision"],
        )
    ]


async def look_at_project_vpcs(scopes: Sequence[ProjectVpcScope]) -> dict[str, Part[ProjectVpcLook]]:
    """Aiven's side: one call for each project VPC."""
    looks = await asyncio.gather(
        *(part(partial(looking.project_vpc, scope["project"], scope["project_vpc_id"])) for scope in scopes)
    )
    return {scope["key"]: look for scope, look in zip(scopes, looks, strict=True)}


async def look_at_secrets(only: str | None) -> Part[dict[str, SecretLook]]:
    """The newest version of every secret of a peering, or of one: names, dates and key ids, never a value."""
    return await part(partial(looking.one_secret, secret_name(only)) if only else looking.all_secrets)


async def check_vnets(given: VNetsToCheck) -> CheckedPeerings:
    """Look at some VNets with all that belongs to their peerings, and find what is wrong with each peering."""
    wanted = sorted({one for vnet in given["vnets"] for ids in vnet["peerings"].values() for one in ids})
    held = {record["peering"]["id"]: record for record in await registry().records(wanted)}
    records = [_records(vnet, held) for vnet in given["vnets"]]
    directory = await Directory.of(record["facts"] for on_vnet in records for _, record in on_vnet)
    access, gate = Access(), asyncio.Semaphore(_AT_ONCE)
    secrets = await _in_use(given["secrets"], [record for on_vnet in records for _, record in on_vnet])

    async def check(vnet: VNetScope, on_vnet: list[tuple[str, Record]]) -> CheckedPeerings:
        principals = {p for _, record in on_vnet for p in directory.principal_ids(record["facts"])}
        async with gate:
            network, held_there = await asyncio.gather(
                part(lambda: looking.vnet(vnet["vnet_id"])), part(lambda: access.on(vnet["vnet_id"]))
            )
        rights = await rights_of(access, vnet["vnet_id"], held_there, principals)
        checked: CheckedPeerings = {}
        for key, record in on_vnet:
            peering, facts = record["peering"], record["facts"]
            look = assemble(peering, facts, given["project_vpcs"][key], network, rights, secrets, directory)
            problems = _problems(peering, facts, look, given["at"])
            if any(problem["code"] in DRIFT for problem in problems):
                problems = await _confirmed(record, problems, given["at"])
            checked[peering["id"]] = Checked(revision=vnet["peerings"][key][peering["id"]], problems=problems)
        return checked

    merged: CheckedPeerings = {}
    for checked in await asyncio.gather(*map(check, given["vnets"], records)):
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
            look = await part(partial(looking.one_secret, name, key))
            if "problem" in look:
                return look
            found |= look["found"] or {}
    return {"found": found}


async def _confirmed(record: Record, problems: list[Occurrence], at: str) -> list[Occurrence]:
    """What a second look at one peering alone finds as well: one bad answer starts no repair and no rotation.

    What only one of the two looks could see is unknown, not amiss.
    """
    peering, facts = record["peering"], record["facts"]
    second = _problems(peering, facts, await look_of_peering(peering, facts), at)
    codes = {problem["code"] for problem in second}
    unseen = [problem for problem in second if problem["code"] not in DRIFT]
    return [problem for problem in problems if problem["code"] in codes or problem["code"] not in DRIFT] + [
        problem for problem in unseen if problem not in problems
    ]


def _problems(peering: Peering, facts: Facts, look: Look, at: str) -> list[Occurrence]:
    """What is wrong with one peering; one that cannot be judged does not keep the others from it."""
    try:
        return findings(peering, facts, look, datetime.fromisoformat(at))
    except Exception as error:
        log.exception("peering=%s could not be judged", peering["id"])
        return [Occurrence(code="unexpected-error", detail=type(error).__name__)]


def _records(vnet: VNetScope, held: Mapping[str, Record]) -> list[tuple[str, Record]]:
    """The records of a VNet's peerings with the keys of their project VPCs; one that was removed is left out."""
    return [(key, held[one]) for key, ids in vnet["peerings"].items() for one in ids if one in held]
