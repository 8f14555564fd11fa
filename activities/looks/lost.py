"""Finds unrecorded peerings, which the API calls `lost`, by the connections in Aiven and what Azure shows of each."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from activities.looks import remotes
from activities.looks.own_rights import identity
from activities.looks.peering import Access, Directory, one
from activities.looks.remotes import part
from clients.aiven_answers import PeeringConnection, Vpc
from clients.aiven_vpcs import owners, vpc_client
from clients.registry import registry
from clients.remote_errors import or_none, unless_refused
from peering.aiven_vpc import AivenVpc
from peering.facts import Facts
from peering.look import AccessLook, ApplicationLook, Part, SecretLook, if_seen
from peering.lost import Connected, LostRequest, Traces, is_own, request_of
from peering.naming import VNetId, same_id, secret_name
from peering.outcome import Occurrence
from peering.states import how_far

#: How many owners, VPCs or VNets are read in parallel.
_AT_ONCE: Final = 8
#: How old, in seconds, a read of a VPC may be: one request may not reach all VPCs within Aiven's rate, several do.
_READS_LAST: Final = 300.0
#: The states of connections that are being removed.
_GOING: Final = frozenset({"DELETING", "DELETED"})
_Thing = TypeVar("_Thing")
_Found = TypeVar("_Found")


#: A connection of a peering of this app, and its application.
_Own: TypeAlias = tuple[Connected, ApplicationLook]


class LostPeering(NamedTuple):
    """An unrecorded peering: its id, the request for it, its options that no cloud shows, and the problems of reads."""

    id: str
    request: LostRequest
    not_shown: list[str]
    problems: list[Occurrence]


async def lost_peerings() -> tuple[list[LostPeering], list[Occurrence]]:
    """This app's peerings that the registry does not have, and the problems that may hide further ones.

    Raises:
        ProblemError: `registry-row-newer`: the registry cannot be read completely.
        azure.core.exceptions.AzureError: the registry does not respond.
    """
    await registry().check_known()
    known = {row["RowKey"] for row in await registry().columns("")}
    connections, problems = await _connections()
    secrets, held, signed_in = await asyncio.gather(
        part(remotes.all_secrets), Directory.of(map(_facts, connections)), part(identity)
    )
    access, own, gone = Access(), list[_Own](), list[Connected]()
    for connection in connections:
        application = held.parts(_facts(connection))["application"]
        problems += _problems(application)
        if "problem" in application or connection.id in known:
            continue
        if application["found"] is None:
            gone.append(connection)
        elif is_own(connection, application["found"]):
            own.append((connection, application["found"]))
    lost = _furthest(own)
    seen = {connection.id for connection, _ in lost}
    problems += [_gone(one) for one in gone if one.id not in seen and _may_be_own(one, signed_in)]
    return await _each(lambda one: _look(*one, access, secrets, held), lost), _distinct(problems)


def _may_be_own(connection: Connected, signed_in: Part[tuple[str, str]]) -> bool:
    """Whether a connection may be this app's by its tenant: that of the app's own identity."""
    own = if_seen(signed_in)
    return own is None or connection.tenant_id is None or same_id(connection.tenant_id, own[0])


def _gone(connection: Connected) -> Occurrence:
    """The problem of a connection whose application was deleted: nothing else says whose it is."""
    vpc, vnet, application = connection.vpc, connection.vnet_id, connection.application_id
    detail = f"Entra has no application {application}. The connection of {vpc.owner}/{vpc.id} to {vnet} belongs to it."
    return Occurrence(code="application-missing", detail=detail)


def _furthest(lost: Iterable[_Own]) -> list[_Own]:
    """One connection for each peering, the most advanced: Aiven may list several of one pair."""
    found: dict[str, _Own] = {}
    for own in lost:
        pair = own[0].id
        found[pair] = min(found.get(pair, own), own, key=lambda listed: how_far(listed[0].state))
    return list(found.values())


def _facts(connection: Connected) -> Facts:
    return Facts(application_id=connection.application_id)


async def _connections() -> tuple[list[Connected], list[Occurrence]]:
    """The connections to VNets that the Aiven token reaches, and the problems that may hide further ones."""
    listed = await part(owners)
    vpcs = await _each(_vpcs_of, () if "problem" in listed else listed["found"] or ())
    named = [vpc for found in vpcs for vpc in if_seen(found) or []]
    read = await _each(lambda vpc: part(lambda: _whole(vpc)), named)
    seen = [(vpc, shown) for vpc, found in zip(named, read, strict=True) if (shown := if_seen(found)) is not None]
    connections = [connection for vpc, shown in seen for connection in _to_vnets(vpc, shown)]
    unclear = [_in_part(vpc, one) for vpc, shown in seen for one in _present(shown) if _is_in_part(one)]
    return connections, [*_problems(listed, *vpcs, *read), *unclear]


async def _whole(vpc: AivenVpc) -> Vpc | None:
    """A VPC; it is read once more if Aiven shows a connection in part."""
    read = await or_none(vpc_client(vpc).read(older=_READS_LAST))
    return await or_none(vpc_client(vpc).read()) if read is not None and any(map(_is_in_part, _present(read))) else read


def _is_in_part(connection: PeeringConnection) -> bool:
    return connection.peer_resource_group is None or connection.peer_azure_app_id is None


def _in_part(vpc: AivenVpc, connection: PeeringConnection) -> Occurrence:
    """The problem of a connection whose VNet or application is not known."""
    leads_to = f"the VNet {connection.peer_vpc} of the subscription {connection.peer_cloud_account}"
    detail = (
        f"Aiven shows a connection of {vpc.owner}/{vpc.id} without its resource group or application: to {leads_to}."
    )
    return Occurrence(code="connection-unseen", detail=detail)


async def _vpcs_of(owner: AivenVpc) -> Part[list[AivenVpc]]:
    """The VPCs of an owner. Organizations whose networks Aiven refuses to show are skipped."""
    client, get = vpc_client(owner), or_none if owner.kind == "project" else unless_refused
    listed = await part(lambda: get(client.listed()))
    return listed if "problem" in listed else {"found": [owner._replace(id=vpc) for vpc in listed["found"] or []]}


def _present(vpc: Vpc) -> list[PeeringConnection]:
    """The connections of a VPC in Azure that are not being removed."""
    return [held for held in vpc.peering_connections if held.state not in _GOING] if "azure" in vpc.cloud else []


def _to_vnets(named: AivenVpc, vpc: Vpc) -> Iterable[Connected]:
    """The connections of a VPC that name a VNet and an application."""
    for held in _present(vpc):
        if held.peer_resource_group is not None and held.peer_azure_app_id is not None:
            vnet = VNetId(held.peer_cloud_account, held.peer_resource_group, held.peer_vpc)
            yield Connected(
                vpc=named,
                vpc_cidr=vpc.ranges,
                vnet_id=str(vnet),
                application_id=held.peer_azure_app_id,
                tenant_id=held.peer_azure_tenant_id,
                state=held.state,
                user_peer_network_cidrs=held.user_peer_network_cidrs,
            )


async def _look(
    connection: Connected,
    application: ApplicationLook,
    access: Access,
    secrets: Part[dict[str, SecretLook]],
    held: Directory,
) -> LostPeering:
    vnet_id, parts, secret = (
        connection.vnet_id,
        held.parts(_facts(connection)),
        one(secrets, secret_name(connection.id)),
    )
    vnet, rights = await asyncio.gather(
        part(lambda: remotes.vnet(vnet_id)),
        part(lambda: _rights(access, vnet_id, held.principal_ids(_facts(connection)))),
    )
    traces = Traces(
        application=application,
        secret=if_seen(secret),
        vnet=if_seen(vnet),
        access=if_seen(rights),
        user=if_seen(parts["user_principal"]),
        platform=if_seen(parts["platform_principal"]),
    )
    problems = _problems(secret, vnet, rights, parts["user_principal"], parts["platform_principal"])
    return LostPeering(connection.id, *request_of(connection, traces), problems)


async def _rights(access: Access, vnet_id: str, principal_ids: set[str]) -> AccessLook | None:
    """The rights on a VNet; nothing if it is gone."""
    assignments = await or_none(access.on(vnet_id))
    return None if assignments is None else await access.of(vnet_id, assignments, principal_ids)


async def _each(look: Callable[[_Thing], Awaitable[_Found]], things: Iterable[_Thing]) -> list[_Found]:
    """The results of a read of each item."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def gated(thing: _Thing) -> _Found:
        async with gate:
            return await look(thing)

    return await asyncio.gather(*map(gated, things))


def _problems(*looks: Part[Any]) -> list[Occurrence]:
    """The problems of the looks that failed, each problem once: looks that share a read have the same one."""
    return _distinct([look["problem"] for look in looks if "problem" in look])


def _distinct(problems: Sequence[Occurrence]) -> list[Occurrence]:
    return [problem for number, problem in enumerate(problems) if problem not in problems[:number]]
