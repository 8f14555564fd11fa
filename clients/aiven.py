"""The part of Aiven's REST API that a peering needs (base https://api.aiven.io/v1, Aiven's OpenAPI document)."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

from pydantic import AliasChoices, BaseModel, Field

from clients.settings import settings
from peering.naming import VNetId

if TYPE_CHECKING:
    import httpx

API: Final = "https://api.aiven.io/v1"
_NOT_FOUND: Final = 404
_TRY_AGAIN = re.compile(r"try again in (\d+)\s*s", re.IGNORECASE)


class StateInfo(BaseModel):
    """What Aiven adds to a state; with PENDING_PEER on Azure, where the other side has to lead to."""

    type: str | None = None
    message: str | None = None
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
        return [part.casefold() for part in mine] == [part.casefold() for part in other]


class ProjectVpc(BaseModel):
    """One project VPC with its peering connections."""

    project_vpc_id: str
    cloud_name: str
    network_cidr: str
    state: str
    peering_connections: list[PeeringConnection] = []

    def connection_to(self, vnet: VNetId) -> PeeringConnection | None:
        """The peering connection to `vnet`, if there is one."""
        return next((c for c in self.peering_connections if c.leads_to(vnet)), None)


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


class AivenError(Exception):
    """Aiven answered with an error.

    `message` is Aiven's own text; an answer that is not its JSON is not repeated, since it may hold anything.
    """

    def __init__(self, status: int, code: str | None, message: str, retry_after: float | None) -> None:
        super().__init__(f"Aiven answered {status}: {message}")
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def _error(response: "httpx.Response") -> AivenError:
    try:
        body = response.json()
    except ValueError:
        body = None
    message, code = f"HTTP {response.status_code} without Aiven's error document", None
    if isinstance(body, Mapping):
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, Sequence) and not isinstance(errors, str) and errors else errors
        if isinstance(first, Mapping):
            code = first.get("error_code")
            message = str(first.get("message") or message)
        elif isinstance(first, str):
            message = first
        message = str(body.get("message") or message)
    header = response.headers.get("retry-after", "")
    asked = _TRY_AGAIN.search(message)
    retry_after = float(header) if header.isdigit() else float(asked[1]) if asked else None
    return AivenError(response.status_code, code, message, retry_after)


class AivenClient:
    """Aiven's API as the user whose token the app has. Use it as an async context manager."""

    def __init__(self) -> None:
        import httpx

        self._http = httpx.AsyncClient(
            headers={"authorization": f"aivenv1 {settings().aiven_auth_token.get_secret_value()}"},
            timeout=httpx.Timeout(30, connect=5),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def _call(self, method: str, *path: str, body: Mapping[str, object] | None = None) -> bytes:
        url = "/".join([API, *(quote(part, safe="") for part in path)])
        response = await self._http.request(method, url, json=body)
        if response.is_error:
            raise _error(response)
        return response.content

    async def project_vpc(self, project: str, project_vpc_id: str) -> ProjectVpc:
        """The project VPC with all its connections: there is no route for a single one.

        Raises:
            AivenError: Aiven refused; 404 when the project or its VPC does not exist.
            httpx.TransportError: Aiven was not reached.
        """
        return ProjectVpc.model_validate_json(await self._call("GET", "project", project, "vpcs", project_vpc_id))

    async def connections(self, project: str) -> list[tuple[str, PeeringConnection]]:
        """All connections of a project, each with the id of its project VPC: one call, and one for each project VPC.

        A project that is gone has none.
        """
        try:
            listed = ProjectVpcs.model_validate_json(await self._call("GET", "project", project, "vpcs"))
        except AivenError as error:
            if error.status != _NOT_FOUND:
                raise
            return []
        found: list[tuple[str, PeeringConnection]] = []
        for listed_vpc in listed.vpcs:
            vpc = await self.project_vpc(project, listed_vpc.project_vpc_id)
            found += [(vpc.project_vpc_id, connection) for connection in vpc.peering_connections]
        return found

    async def projects(self) -> list[str]:
        """The names of all projects that the token's user may see."""
        listed = Projects.model_validate_json(await self._call("GET", "project"))
        return [project.project_name for project in listed.projects]

    async def hourly_price(self, project: str, cloud_name: str) -> str | None:
        """The price of a peering connection in US dollars an hour, where Aiven lists one for the cloud."""
        body = await self._call("GET", "project", project, "vpc-peering-connection-types")
        kinds = ConnectionTypes.model_validate_json(body).vpc_peering_connection_types
        return next((kind.price_usd for kind in kinds if kind.cloud_name == cloud_name), None)

    async def project_role(self, project: str) -> str | None:
        """The token's user's role in a project, such as `operator`; None where Aiven does not say."""
        user = Me.model_validate_json(await self._call("GET", "me")).user
        return (user.project_membership or {}).get(project)

    async def refresh(self, project: str, project_vpc_id: str) -> None:
        """Ask Aiven to look at the states of the connections now. It may take a while, or do nothing."""
        await self._call("POST", "project", project, "vpcs", project_vpc_id, "peering-connections", "refresh")

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
        try:
            await self._call(
                "DELETE",
                *("project", project, "vpcs", project_vpc_id, "peering-connections"),
                *("peer-accounts", connection.peer_cloud_account),
                *("peer-resource-groups", connection.peer_resource_group or ""),
                *("peer-vpcs", connection.peer_vpc),
            )
        except AivenError as error:
            if error.status != _NOT_FOUND:
                raise
