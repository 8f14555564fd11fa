"""A VPC in Aiven with its peering connections: one interface for the two variants of Aiven's API.

A project VPC's connection is identified by its VNet, and a second request returns the existing connection. An
organization VPC's connection has an id of its own, and the effect of a second request is not documented.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from typing_extensions import override

from clients.aiven import AivenClient, unreadable
from clients.aiven_answers import (
    ConnectionTypes,
    ListedVpcs,
    OrganizationVpc,
    PeeringConnection,
    ProjectVpc,
    Vpc,
)
from clients.connections import connections
from clients.remote_errors import RemoteError, or_none, unless_refused
from clients.shared_reads import shared
from peering.aiven_vpc import KINDS, AivenVpc, Kind
from peering.naming import VNetId, same_id
from peering.outcome import ProblemError
from peering.remote_answers import Answer
from peering.states import REQUEST_AGAIN

#: Whether a connection meets a condition; None, if Aiven leaves out what would say so.
Fits = Callable[[PeeringConnection], bool | None]
#: How long, in seconds, prices are cached.
_PRICES_LAST: Final = 3600.0
#: Aiven's roles in a project that only read (Aiven's documentation, "Permissions").
_READERS: Final = frozenset({"developer", "read_only"})
#: The codes for a missing object: only `organization_not_found` is documented.
_MISSING: Final = re.compile(r"(organization|vpc|connection)_not_found$")
_OK: Final = 200
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
#: The statuses of a route that does not exist, or no longer.
_NO_ROUTE: Final = (405, 410)


class WantedConnection(NamedTuple):
    """A connection as it is requested: `vnet` in `tenant_id` for `application_id`, with the networks behind the VNet.

    `beside_anothers`: Aiven has listed it beside another application's connection to the VNet.
    """

    vnet: VNetId
    application_id: str
    tenant_id: str
    user_peer_network_cidrs: Sequence[str]
    beside_anothers: bool

    @property
    def body(self) -> dict[str, object]:
        """The document that requests it, for both kinds of VPC. Aiven accepts names only in lower case."""
        networks = list(self.user_peer_network_cidrs)
        return {
            "peer_cloud_account": self.vnet.subscription_id.lower(),
            "peer_resource_group": self.vnet.resource_group.lower(),
            "peer_vpc": self.vnet.name.lower(),
            "peer_azure_app_id": self.application_id.lower(),
            "peer_azure_tenant_id": self.tenant_id.lower(),
            **({"user_peer_network_cidrs": networks} if networks else {}),
        }

    def among(self, vpc: Vpc) -> PeeringConnection | None:
        """The connection in a VPC that matches this request."""
        return vpc.connection_to(self.vnet, self.application_id, only_own=self.beside_anothers)


class VpcClient(ABC):
    """One VPC in Aiven.

    Args:
        vpc: which one.
    """

    #: Whether a failed connection is deleted before it is requested again: then a wait may find none for a while.
    deletes_failed: bool = False

    def __init__(self, vpc: AivenVpc) -> None:
        self.vpc = vpc
        self._api = AivenClient()
        self._owner = (vpc.kind, vpc.owner)

    async def read(self, *, older: float = 0.0, at: datetime | None = None) -> Vpc:
        """The VPC with all its connections: there is no route for a single one. Concurrent callers share it.

        Args:
            older: how many seconds before the call the response may have been read.
            at: when the caller asked for it; now by default.

        Raises:
            RemoteError: Aiven refused, with 404 when the VPC or its owner does not exist, or was not reached.
        """
        return await shared((*self._owner, self.vpc.id), self._read, older=older, at=at)

    async def read_unless_gone(self) -> Vpc | None:
        """The VPC, if there is one: its absence counts only if its owner does not list it either.

        Raises:
            RemoteError: Aiven refused, was not reached, or lists the VPC that it does not find.
        """
        found = await or_none(self.read())
        if found is None and self.vpc.id in (await or_none(self.listed()) or ()):
            raise unreadable("Aiven lists the VPC that it does not find.")
        return found

    @abstractmethod
    async def _read(self) -> Vpc:
        """One read."""

    @abstractmethod
    async def request_connection(self, wanted: WantedConnection) -> None:
        """Request a connection, or a failed one again (article step 11).

        The answer is incomplete, so it is not used: read the VPC afterwards.

        Args:
            wanted: which one.

        Raises:
            RemoteError: Aiven refused, or was not reached.
            ProblemError: the failed one has to go first.
        """

    @abstractmethod
    async def delete_connection(self, connection: PeeringConnection) -> None:
        """Begin to delete a connection as Aiven lists it; a deleted one is ignored.

        Raises:
            RemoteError: Aiven refused, or was not reached.
        """

    @abstractmethod
    async def _refresh(self) -> object:
        """One request to refresh the states."""

    async def refresh(self, *, older: float, at: datetime | None) -> None:
        """Ask Aiven to refresh the states of the connections now. It may take a while, or do nothing.

        Args:
            older: the seconds within which it is requested only once.
            at: when the caller asked for it; now by default.

        Raises:
            RemoteError: Aiven refused, or was not reached.
        """
        await shared((*self._owner, self.vpc.id, "refresh"), self._refresh, older=older, at=at)

    async def hourly_prices(self) -> dict[str, str | None]:
        """The price of a peering connection in US dollars an hour, by the names of the clouds that Aiven lists.

        A list that Aiven refuses, or that has another form, has no prices: no peering depends on them.

        Raises:
            RemoteError: Aiven was not reached, or may answer in a while.
        """
        path = (*self._owner, "vpc-peering-connection-types")
        try:
            listed = await unless_refused(
                shared(path, lambda: self._api.read(ConnectionTypes, *path), older=_PRICES_LAST)
            )
        except RemoteError as error:
            if error.answer.status != _OK:
                raise
            listed = None
        return {
            kind.cloud_name: kind.price_usd for kind in reversed(listed.vpc_peering_connection_types if listed else [])
        }

    @abstractmethod
    async def lacking_right(self, *, of_now: bool = False) -> str | None:
        """Why the token's user may not change connections, in words; None if Aiven does not report a reason.

        Args:
            of_now: whether to ask Aiven again instead of using a cached response.

        Raises:
            RemoteError: Aiven refused, or was not reached.
        """

    async def listed(self, *, older: float = 0.0) -> list[str]:
        """The ids of the owner's VPCs of this kind.

        Args:
            older: how many seconds before the call the response may have been read.

        Raises:
            RemoteError: Aiven refused, with 404 when the owner does not exist, or was not reached.
        """
        path = (*self._owner, "vpcs")
        return (await shared(path, lambda: self._api.read(ListedVpcs, *path), older=older)).of(self.vpc.kind)


class ProjectVpcClient(VpcClient):
    """A VPC of a project."""

    @property
    def _path(self) -> tuple[str, ...]:
        return (*self._owner, "vpcs", self.vpc.id)

    async def _read(self) -> Vpc:
        return await self._api.read(ProjectVpc, *self._path)

    @override
    async def request_connection(self, wanted: WantedConnection) -> None:
        """Request the connection: Aiven answers with the existing one, and restarts a failed one."""
        await self._api.call("POST", *self._path, "peering-connections", body=wanted.body)

    async def delete_connection(self, connection: PeeringConnection) -> None:
        """Begin to delete a connection, under the names that Aiven lists it with."""
        path = (
            *(*self._path, "peering-connections"),
            *("peer-accounts", connection.peer_cloud_account),
            *("peer-resource-groups", connection.peer_resource_group or ""),
            *("peer-vpcs", connection.peer_vpc),
        )
        await or_none(self._api.call("DELETE", *path))

    async def _refresh(self) -> object:
        return await self._api.call("POST", *self._path, "peering-connections", "refresh")

    async def lacking_right(self, *, of_now: bool = False) -> str | None:
        """The user's role, where it only reads."""
        project = self.vpc.owner
        role = await (self._api.project_role(project, older=0) if of_now else self._api.project_role(project))
        return f"The Aiven user is {role} in {project}." if role in _READERS else None


@dataclass(frozen=True)
class _Paths:
    """One spelling of the paths of an organization VPC and its connections."""

    vpc: str
    connection: str
    refresh: tuple[str, ...]


#: The paths since May 2026, and those before; only the list of VPCs has kept its path.
_SPELLINGS: Final = (
    _Paths("vpc", "peering-connection", ("peering-connections", "refresh")),
    _Paths("vpcs", "peering-connections", ("peering-connections", "actions", "refresh")),
)


@dataclass
class _Known:
    """The spelling that has worked."""

    paths: _Paths | None = None


def _names_a_thing(answer: Answer) -> bool:
    """Whether a 404 names the organization or the VPC as missing: then the route exists."""
    return answer.is_absence and any(_MISSING.search(code) for code in answer.codes)


def _may_lack_route(answer: Answer) -> bool:
    """Whether a response may mean an unknown route: then it says nothing about the VPC."""
    return answer.status in _NO_ROUTE or (answer.status == _NOT_FOUND and not _names_a_thing(answer))


class OrganizationVpcClient(VpcClient):
    """A VPC that the projects of an organization share."""

    deletes_failed = True

    @property
    def _known(self) -> _Known:
        """The spelling that this process has learned."""
        return connections().known.get(("paths of organization VPCs",), _Known)

    async def _read(self) -> Vpc:
        """One read, with the spelling that works.

        If a 404 does not name the missing object, the list of VPCs shows whether it is the VPC: the list's path is the
        same in both spellings.
        """
        known = self._known
        for paths in sorted(_SPELLINGS, key=lambda one: one != known.paths):
            try:
                found = await self._api.read(OrganizationVpc, *self._owner, paths.vpc, self.vpc.id)
            except RemoteError as error:
                if not _may_lack_route(error.answer):
                    known.paths = paths if _names_a_thing(error.answer) else known.paths
                    raise
                if self.vpc.id.lower() not in map(str.lower, await self.listed()):
                    raise RemoteError(replace(error.answer, status=_NOT_FOUND, is_readable=True)) from error
            else:
                known.paths = paths
                return found
        known.paths = None
        raise unreadable(f"Aiven lists the organization VPC {self.vpc.id}, but has no known route to it.")

    async def _paths(self) -> _Paths:
        """The spelling of the paths: known, or learned by a read."""
        if self._known.paths is None:
            await self._read()
        return self._known.paths or _SPELLINGS[0]

    @override
    async def request_connection(self, wanted: WantedConnection) -> None:
        """Request the connection, unless there is one; a failed one of the application is deleted first.

        Aiven documents only for projects that a request restarts a failed one, and that a second one makes no
        second connection.
        """
        there = wanted.among(await self.read())
        if there is not None:
            if there.state in REQUEST_AGAIN and same_id(there.peer_azure_app_id, wanted.application_id):
                await self.delete_connection(there)
                raise ProblemError("connection-being-deleted", f"The connection was {there.state}.")
            return
        path = (*self._owner, (await self._paths()).vpc, self.vpc.id, "peering-connections")
        try:
            await self._api.call("POST", *path, body=wanted.body)
        except RemoteError as error:
            if error.answer.status != _CONFLICT or (vpc := await self.read()).state != "ACTIVE":
                raise
            # Another execution may have requested it just now, and Aiven may not list it yet.
            if wanted.among(vpc) is None:
                raise ProblemError(
                    "connection-unseen", f"Aiven lists no connection, and answers: {error.answer.message}"
                ) from error

    async def delete_connection(self, connection: PeeringConnection) -> None:
        """Begin to delete a connection by its id, which is the only way."""
        if connection.peering_connection_id is None:
            raise unreadable("Aiven lists the connection without its peering_connection_id, by which it is deleted.")
        paths = await self._paths()
        path = (*self._owner, paths.vpc, self.vpc.id, paths.connection, connection.peering_connection_id)
        await or_none(self._api.call("DELETE", *path))

    async def _refresh(self) -> object:
        paths = await self._paths()
        return await self._api.call("POST", *self._owner, paths.vpc, self.vpc.id, *paths.refresh)

    @override
    async def lacking_right(self, *, of_now: bool = False) -> str | None:
        """None: no route reports a user's own permissions in an organization; a request without them is refused."""
        return None


_CLIENTS: Final[Mapping[Kind, type[VpcClient]]] = {"project": ProjectVpcClient, "organization": OrganizationVpcClient}


def vpc_client(vpc: AivenVpc) -> VpcClient:
    """The client of a VPC.

    Args:
        vpc: which one; a peering names it.
    """
    return _CLIENTS[vpc.kind](vpc)


async def has_connection_beside(vpc: AivenVpc, fits: Fits, *, older: float = 0.0) -> bool | None:
    """Whether any VPC of an owner in Azure has a matching connection; None if Aiven leaves it open for one.

    It takes one call, one for each VPC, and another one for a VPC that a cached response shows in part. A deleted VPC
    has no connection.

    Args:
        vpc: one of them; without an id, the owner alone.
        fits: whether a connection matches; None if Aiven leaves out the fields that decide it.
        older: how many seconds before the call the responses may have been read.

    Raises:
        RemoteError: Aiven refused, or was not reached.
    """
    found = set[bool | None]()
    for identity in await or_none(vpc_client(vpc).listed(older=older)) or []:
        client = vpc_client(vpc._replace(id=identity))
        there = _fitting(await or_none(client.read(older=older)), fits)
        found |= _fitting(await or_none(client.read()), fits) if None in there else there
    return True in found or (None if None in found else False)


def _fitting(vpc: Vpc | None, fits: Fits) -> set[bool | None]:
    """The results of `fits` for the connections of a VPC. Those in other clouds have no Azure names."""
    there = vpc.peering_connections if vpc is not None and "azure" in vpc.cloud else []
    return {fits(connection) for connection in there if connection.state != "DELETED"}


async def owners() -> list[AivenVpc]:
    """The projects and the organizations that the token's user may see, each as the owner of VPCs.

    Not every user belongs to an organization, or may ask for them: where Aiven refuses to list them, there are none.

    Raises:
        RemoteError: Aiven refused, or was not reached.
    """
    api = AivenClient()
    named = {"project": await api.projects(), "organization": await unless_refused(api.organizations()) or []}
    return [AivenVpc(kind, owner, "") for kind in KINDS for owner in named[kind]]
