"""The part of Aiven's REST API that a peering needs (base https://api.aiven.io/v1, Aiven's OpenAPI document)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, ValidationError

from clients.connections import connections
from clients.known_secrets import readable
from clients.remote_errors import RemoteError, answers_of, or_none
from clients.settings import settings
from clients.shared_reads import shared
from peering.naming import VNetId, folded
from peering.remote_answers import Answer
from peering.retry_after import retry_after

if TYPE_CHECKING:
    import httpx

API: Final = "https://api.aiven.io/v1"
Read = TypeVar("Read", bound=BaseModel)
#: So long, in seconds, nobody asks again for prices, and for a user's roles.
_PRICES_LAST: Final = 3600.0
_ROLES_LAST: Final = 60.0


class StateInfo(BaseModel):
    """What Aiven adds to a state; with PENDING_PEER on Azure, where the other side has to lead to."""

    type: str | None = None
    message: Annotated[str, AfterValidator(readable)] | None = None
    to_tenant_id: str | None = Field(None, validation_alias=AliasChoices("to-tenant-id", "to_tenant_id"))
    to_network_id: str | None = Field(None, validation_alias=AliasChoices("to-network-id", "to_network_id"))


class PeeringConnection(BaseModel):
    """One peering connection of a project VPC."""

    peer_cloud_account: str
    peer_vpc: str
    peer_resource_group: str | None = None
    peer_azure_app_id: str | None = None
    peer_azure_tenant_id: str | None = None
    state: str
    state_info: StateInfo | None = None
    user_peer_network_cidrs: list[str] = []

    def leads_to(self, vnet: VNetId) -> bool:
        """Whether this connection is the one to `vnet`; all three keys count, without case."""
        mine = (self.peer_cloud_account, self.peer_resource_group or "", self.peer_vpc)
        other = (vnet.subscription_id, vnet.resource_group, vnet.name)
        return [folded(part) for part in mine] == [folded(part) for part in other]


class ProjectVpc(BaseModel):
    """One project VPC with its peering connections."""

    project_vpc_id: str
    cloud_name: str
    network_cidr: str
    state: str
    peering_connections: list[PeeringConnection] = []

    def connection_to(self, vnet: VNetId) -> PeeringConnection | None:
        """The peering connection to `vnet`, if there is one; one that is DELETED counts as none."""
        there = (c for c in self.peering_connections if c.state != "DELETED")
        return next((c for c in there if c.leads_to(vnet)), None)

    def still_lists(self, vnet: VNetId) -> bool:
        """Whether a connection to `vnet` that is DELETED is listed still, for a while, and no other one is."""
        listed = [c.state for c in self.peering_connections if c.leads_to(vnet)]
        return bool(listed) and set(listed) == {"DELETED"}


class ListedVpc(BaseModel):
    """One project VPC in a list, which leaves out the connections."""

    project_vpc_id: str


class ProjectVpcs(BaseModel):
    """The project VPCs of a project."""

    vpcs: list[ListedVpc]


class Project(BaseModel):
    """One project in a list."""

    project_name: str


class Projects(BaseModel):
    """The projects of a user."""

    projects: list[Project]


class ConnectionType(BaseModel):
    """A kind of peering connection in one cloud, with its price an hour."""

    cloud_name: str
    price_usd: str


class ConnectionTypes(BaseModel):
    """All kinds of peering connections that a project can have."""

    vpc_peering_connection_types: list[ConnectionType]


class User(BaseModel):
    """The user whose token it is: the roles by project."""

    project_membership: dict[str, str] | None = None


class Me(BaseModel):
    """The answer of `GET /me`."""

    user: User


def _error(response: "httpx.Response") -> RemoteError:
    """Aiven's refusal: an error document with a message, and in some a list of errors with codes."""
    body = response.json()
    message, code = "", None
    if isinstance(body, Mapping):
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, Sequence) and not isinstance(errors, str) and errors else errors
        if isinstance(first, Mapping):
            code = first.get("error_code")
            message = str(first.get("message") or message)
        elif isinstance(first, str):
            message = first
        message = str(body.get("message") or message)
    answer = Answer(
        "Aiven",
        host=response.request.url.host,
        status=response.status_code,
        codes=(code,) if isinstance(code, str) else (),
        message=message,
        retry_after=retry_after(response.headers, datetime.now(UTC), message),
        is_readable=bool(message),
    )
    return RemoteError(answer)


class AivenClient:
    """Aiven's API as the user whose token the app has."""

    def __init__(self) -> None:
        self._http = connections().http("Aiven")
        self._headers = {"authorization": f"aivenv1 {settings().aiven_auth_token.get_secret_value()}"}

    async def _call(self, method: str, *path: str, body: Mapping[str, object] | None = None) -> bytes:
        url = "/".join([API, *(quote(part, safe="") for part in path)])
        with answers_of("Aiven", API):
            response = await self._http.request(method, url, json=body, headers=self._headers)
        if not response.is_success:
            raise _error(response)
        return response.content

    async def _read(self, kind: type[Read], *path: str) -> Read:
        """What a path answers, as a model; what lacks a part that is always there is no answer of Aiven's."""
        content = await self._call("GET", *path)
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            host = urlsplit(API).hostname
            raise RemoteError(Answer("Aiven", host=host, status=200, is_readable=False)) from error

    async def project_vpc(
        self, project: str, project_vpc_id: str, *, older: float = 0.0, at: datetime | None = None
    ) -> ProjectVpc:
        """The project VPC with all its connections: there is no route for a single one. Those who ask at once share it.

        Args:
            project: its project.
            project_vpc_id: its id.
            older: how many seconds older than the asking the answer may be.
            at: when it is asked for, where that is told.

        Raises:
            RemoteError: Aiven refused, with 404 when the project or its VPC does not exist, or was not reached.
        """
        path = ("project", project, "vpcs", project_vpc_id)
        return await shared(path, lambda: self._read(ProjectVpc, *path), older=older, at=at)

    async def connections(self, project: str) -> list[tuple[str, PeeringConnection]]:
        """All connections of a project, each with the id of its project VPC: one call, and one for each project VPC.

        A project that is gone has none.
        """
        listed = await or_none(self._read(ProjectVpcs, "project", project, "vpcs"))
        found: list[tuple[str, PeeringConnection]] = []
        for listed_vpc in listed.vpcs if listed else ():
            vpc = await self.project_vpc(project, listed_vpc.project_vpc_id)
            found += [(vpc.project_vpc_id, connection) for connection in vpc.peering_connections]
        return found

    async def projects(self) -> list[str]:
        """The names of all projects that the token's user may see."""
        return [project.project_name for project in (await self._read(Projects, "project")).projects]

    async def hourly_prices(self, project: str) -> dict[str, str | None]:
        """The price of a peering connection in US dollars an hour, by the names of the clouds that Aiven lists."""
        path = ("project", project, "vpc-peering-connection-types")
        listed = await shared(path, lambda: self._read(ConnectionTypes, *path), older=_PRICES_LAST)
        return {kind.cloud_name: kind.price_usd for kind in reversed(listed.vpc_peering_connection_types)}

    async def project_role(self, project: str, *, older: float = _ROLES_LAST) -> str | None:
        """The token's user's role in a project, such as `operator`; None where Aiven does not say.

        Args:
            project: the project.
            older: how many seconds older than the asking the answer may be.

        Raises:
            RemoteError: Aiven refused, or was not reached.
        """
        user = (await shared(("me",), lambda: self._read(Me, "me"), older=older)).user
        return (user.project_membership or {}).get(project)

    async def refresh(self, project: str, project_vpc_id: str, *, older: float, at: datetime | None) -> None:
        """Ask Aiven to look at the states of the connections now. It may take a while, or do nothing.

        Args:
            project: the project VPC's project.
            project_vpc_id: its id.
            older: within so many seconds it is asked for once.
            at: when it is asked for, where that is told.

        Raises:
            RemoteError: Aiven refused, or was not reached.
        """
        path = ("project", project, "vpcs", project_vpc_id, "peering-connections", "refresh")
        await shared(path, lambda: self._call("POST", *path), older=older, at=at)

    async def request_connection(
        self,
        project: str,
        project_vpc_id: str,
        vnet: VNetId,
        *,
        application_id: str,
        tenant_id: str,
        user_peer_network_cidrs: Sequence[str],
    ) -> None:
        """Request the connection, or a failed one again (article step 11). Aiven takes names in lower case only.

        The answer is incomplete, so it is not used: read the project VPC afterwards.
        """
        body: dict[str, object] = {
            "peer_cloud_account": vnet.subscription_id.lower(),
            "peer_resource_group": vnet.resource_group.lower(),
            "peer_vpc": vnet.name.lower(),
            "peer_azure_app_id": application_id.lower(),
            "peer_azure_tenant_id": tenant_id.lower(),
        }
        if user_peer_network_cidrs:
            body["user_peer_network_cidrs"] = list(user_peer_network_cidrs)
        await self._call("POST", "project", project, "vpcs", project_vpc_id, "peering-connections", body=body)

    async def delete_connection(self, project: str, project_vpc_id: str, connection: PeeringConnection) -> None:
        """Begin to delete a connection, under the names that Aiven lists it with; one that is gone is left."""
        path = (
            *("project", project, "vpcs", project_vpc_id, "peering-connections"),
            *("peer-accounts", connection.peer_cloud_account),
            *("peer-resource-groups", connection.peer_resource_group or ""),
            *("peer-vpcs", connection.peer_vpc),
        )
        await or_none(self._call("DELETE", *path))
