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
from activities.remote_errors import problem_of
from clients.registry import registry
from clients.settings import settings
from clients.side_by_side import side_by_side
from peering.checks import CheckedPeerings, ProjectVpcScope, Scope, VNetScope, VNetsToCheck, vpc_key
from peering.health import DRIFT, findings
from peering.look import Look, Part, ProjectVpcLook, SecretLook, if_seen
from peering.naming import VNetId, folded, secret_name
from peering.outcome import Facts, Occurrence
from peering.registry import Checked, Record, is_busy
from peering.spec import Peering

log: Final = logging.getLogger("aiven_azure_peering.health")

#: VNets that are looked at side by side, and records that are read: all of one activity before those of the next, so
#: that not all activities turn to the same remote at the same moment.
_AT_ONCE: Final = 8
_READ_AT_ONCE: Final = 100


class _Row(TypedDict):
    """A peering's row, as far as a check of all needs it."""

    id: str
    project: str
    project_vpc_id: str
    vnet_id: str
    revision: int
    watched: bool
    busy: bool
    undelivered: bool


async def check_scope(only: str | None) -> Scope:
    """What a check has to look at: the watched peerings, or one.

    A peering that a run is at work on is left out; its project VPC is looked at, for what else is connected to it.
    """
    unreadable = list[str]()
    rows = await _rows(unreadable) if only is None else await _row_of(only)
    scopes, vnets = dict[str, ProjectVpcScope](), dict[str, VNetScope]()
    for row in rows:
        if not row["watched"]:
            continue
        key = vpc_key(row["project"], row["project_vpc_id"])
        scopes.setdefault(key, ProjectVpcScope(key=key, project=row["project"], project_vpc_id=row["project_vpc_id"]))
        if not row["busy"]:
            vnet = vnets.setdefault(folded(row["vnet_id"]), VNetScope(vnet_id=row["vnet_id"], peerings={}))
            vnet["peerings"].setdefault(key, {})[row["id"]] = row["revision"]
    return Scope(
        project_vpcs=list(scopes.values()),
        vnets=[vnets[vnet_id] for vnet_id in sorted(vnets)],
        undelivered=[row["id"] for row in rows if row["undelivered"] and settings().webhook_url is not None],
        unreadable=unreadable,
    )


async def _rows(unreadable: list[str]) -> list[_Row]:
    """The rows of all peerings that are watched or have events to deliver; the spoilt ones go to `unreadable`."""
    names = ("owner", "project_vpc_id", "vnet_id", "revision", "watched", "busy", "undelivered")
    found = list[_Row]()
    for row in await registry().columns("watched eq true or undelivered eq true", *names):
        peering_id = str(row["RowKey"])
        try:
            found.append(
                _Row(
                    id=peering_id,
                    project=str(row["owner"]),
                    project_vpc_id=str(row["project_vpc_id"]),
                    vnet_id=str(VNetId.parse(str(row["vnet_id"]))),
                    revision=int(cast("int", row["revision"])),
                    watched=bool(row["watched"]),
                    busy=bool(row["busy"]),
                    # Rows of before have not got it.
                    undelivered=bool(row.get("undelivered")),
                )
            )
        except (KeyError, ValueError):
            log.exception("event=row-unreadable peering=%s", peering_id)
            unreadable.append(peering_id)
    return found


async def _row_of(peering_id: str) -> list[_Row]:
    """What there is to check of one peering: nothing while a run is at work on it."""
    record = await registry().record(peering_id)
    if record is None or is_busy(record):
        return []
    peering = record["peering"]
    row = _Row(
        id=peering_id,
        project=peering["project"],
        project_vpc_id=peering["project_vpc_id"],
        vnet_id=str(VNetId.parse(peering["vnet_id"])),
        revision=record["revision"],
        watched=True,
        busy=False,
        # Whoever notes the verdict says so.
        undelivered=False,
    )
    return [row]


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
    """Look at some VNets with all that belongs to their peerings, and find what is wrong with each peering.

    A record or a VNet that cannot be looked at costs its own peerings the verdict; one that was removed is left out.
    """
    wanted = sorted({one for vnet in given["vnets"] for ids in vnet["peerings"].values() for one in ids})
    held, checked = await _held(wanted, given["vnets"])
    records = [_records(vnet, held) for vnet in given["vnets"]]
    directory = await Directory.of(record["facts"] for on_vnet in records for _, record in on_vnet)
    access = Access()

    async def check(found: tuple[VNetScope, list[tuple[str, Record]]]) -> None:
        vnet, on_vnet = found
        principals = {p for _, record in on_vnet for p in directory.principal_ids(record["facts"])}
        network, held_there = await asyncio.gather(
            part(lambda: looking.vnet(vnet["vnet_id"])), part(lambda: access.on(vnet["vnet_id"]))
        )
        rights = await rights_of(access, vnet["vnet_id"], held_there, principals)
        for key, record in on_vnet:
            peering, facts = record["peering"], record["facts"]
            secrets = await _in_use(given["secrets"], record)
            look = assemble(peering, facts, given["project_vpcs"][key], network, rights, secrets, directory)
            problems = _problems(peering, facts, look, given["at"])
            if any(problem["code"] in DRIFT for problem in problems):
                problems = await _confirmed(record, problems, given["at"])
            checked[peering["id"]] = Checked(revision=vnet["peerings"][key][peering["id"]], problems=problems)

    done = await side_by_side(check, zip(given["vnets"], records, strict=True), at_once=_AT_ONCE)
    for (vnet, on_vnet), error in done.failures:
        problems = [problem_of(error, "check_vnets")]
        for key, record in on_vnet:
            peering_id = record["peering"]["id"]
            checked.setdefault(peering_id, Checked(revision=vnet["peerings"][key][peering_id], problems=problems))
    return checked


async def _held(wanted: Sequence[str], vnets: Sequence[VNetScope]) -> tuple[dict[str, Record], CheckedPeerings]:
    """The records of some peerings, and the verdict on those that cannot be read."""
    revisions = {one: revision for vnet in vnets for ids in vnet["peerings"].values() for one, revision in ids.items()}
    done = await side_by_side(registry().record, wanted, at_once=_READ_AT_ONCE)
    unseen = {
        one: Checked(revision=revisions[one], problems=[problem_of(error, "check_vnets")])
        for one, error in done.failures
    }
    return {record["peering"]["id"]: record for record in done.results if record is not None}, unseen


async def _in_use(listed: Part[dict[str, SecretLook]], record: Record) -> Part[dict[str, SecretLook]]:
    """The secrets as listed, which shows the newest versions; where a peering's is not the one in use, that one."""
    name, key, found = secret_name(record["peering"]["id"]), key_id_of(record["facts"]), if_seen(listed)
    if found is None or key is None or name not in found or found[name]["key_id"] == key:
        return listed
    look = await part(partial(looking.one_secret, name, key))
    return look if "problem" in look else {"found": found | (look["found"] or {})}


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
