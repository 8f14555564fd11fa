"""Aiven's API: project VPCs and their peering connections, as its public clients call it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from local.cloud.server.throttle import Throttle
from local.cloud.server.wire import ApiError, Handler, Request, Response, Routes
from local.cloud.world.platform import known_application, unknown_application
from local.cloud.world.world import Connection, ProjectVpc, World

_VPCS: Final = r"/v1/project/(?P<project>[^/]+)/vpcs"
_VPC: Final = rf"{_VPCS}/(?P<vpc>[^/]+)"
_CONNECTIONS: Final = rf"{_VPC}/peering-connections"
_CONNECTION: Final = (
    rf"{_CONNECTIONS}/peer-accounts/(?P<account>[^/]+)/peer-resource-groups/(?P<group>[^/]+)/peer-vpcs/(?P<vnet>[^/]+)"
)
_NAMES: Final = ("peer_cloud_account", "peer_resource_group", "peer_vpc", "peer_azure_app_id", "peer_azure_tenant_id")
#: States in which the idempotent POST requests the connection anew.
_FAILED: Final = frozenset({"INVALID_SPECIFICATION", "REJECTED_BY_PEER", "ERROR"})
#: The project roles with `project:networking:write`.
_WRITERS: Final = frozenset({"admin", "operator"})
#: States of a project VPC that is there to stay.
_LIVING: Final = frozenset({"APPROVED", "ACTIVE"})

#: What Aiven's client for Go takes for granted of a user and of a project.
_USER: Final = {
    "user": "user@example.com",
    "user_id": "u0123456789a",
    "real_name": "A user",
    "state": "active",
    "auth": ["token"],
    "invitations": [],
    "tenant": "aiven",
}
_PROJECT: Final = {
    "account_id": "a0123456789a",
    "billing_address": "",
    "billing_emails": [],
    "billing_group_id": "00000000-0000-4000-8000-000000000001",
    "billing_group_name": "Default billing group",
    "country": "",
    "country_code": "",
    "default_cloud": "timescale-azure-westeurope",
    "estimated_balance": "0.00",
    "organization_id": "org0123456789",
    "payment_method": "no_payment_expected",
    "vat_id": "",
}


def aiven_error(status: int, message: str, code: str | None = "invalid_request") -> ApiError:
    """An error as Aiven shows it; some have no code of their own."""
    error = {"message": message, "status": status, **({"error_code": code} if code else {})}
    return ApiError(Response(status, {"message": message, "errors": [error]}))


class Aiven:
    """The part of Aiven's API that has to do with VPC peering."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._throttle = Throttle(60)
        routes = self.routes = Routes("Aiven API")
        routes.add("GET", "/v1/me", self._me)
        routes.add("GET", "/v1/project", self._projects)
        routes.add("GET", _VPCS, self._list)
        routes.add("GET", _VPC, self._get)
        routes.add("GET", r"/v1/project/(?P<project>[^/]+)/vpc-peering-connection-types", self._types)
        self._add_write("POST", _CONNECTIONS, "VpcPeeringConnectionCreate", self._create)
        self._add_write("POST", rf"{_CONNECTIONS}/refresh", "VpcPeeringConnectionRefresh", self._refresh)
        self._add_write("DELETE", _CONNECTION, "VpcPeeringConnectionWithResourceGroupDelete", self._delete)
        self._add_write("PUT", rf"{_VPC}/user-peer-network-cidrs", "VpcPeeringConnectionUpdate", self._put_cidrs)

    def _add_write(self, method: str, pattern: str, operation: str, handler: Handler) -> None:
        """A route for users who may change the project's networking."""

        def allowed(request: Request, **key: str) -> Response:
            if self._world.knobs.aiven_role not in _WRITERS:
                raise aiven_error(403, f"You don't have permission to perform this action: {operation}", "forbidden")
            return handler(request, **key)

        self.routes.add(method, pattern, allowed)

    def answer(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ApiError: Aiven refuses.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme not in ("aivenv1", "Bearer") or token != self._world.aiven_token:
            raise aiven_error(401, "Invalid token", "invalid_token")
        self._limit()
        return self.routes.answer(request)

    def _limit(self) -> None:
        most = self._world.knobs.aiven_requests_per_minute
        wait = self._throttle.take(self._world.now, most)
        if wait is not None:
            text = "The user has sent too many requests in a given amount of time"
            raise aiven_error(429, f"{text}: Rate limit {most} exceeded - try again in {wait}s", None)

    def _project_vpc(self, project: str, vpc: str) -> ProjectVpc:
        self._check_project(project)
        found = self._world.project_vpcs.get(vpc.lower())
        if found is None or found.project != project:
            raise aiven_error(404, "Project VPC does not exist", "project_vpc_not_found")
        return found

    def _check_project(self, project: str) -> None:
        if project not in self._world.projects:
            raise aiven_error(404, "Project does not exist", "project_not_found")

    def _membership(self) -> dict[str, Any]:
        role, projects = self._world.knobs.aiven_role, self._world.projects
        return {
            "project_membership": dict.fromkeys(projects, role),
            "project_memberships": {project: [role] for project in projects},
        }

    def _projects(self, _: Request) -> Response:
        listed = [{**_PROJECT, "project_name": project} for project in self._world.projects]
        return Response(200, {"projects": listed, **self._membership()})

    def _me(self, _: Request) -> Response:
        user = {**_USER, "projects": self._world.projects, **self._membership()}
        return Response(200, {"user": user})

    def _list(self, _: Request, project: str) -> Response:
        self._check_project(project)
        return Response(200, {"vpcs": [_vpc_body(vpc) for vpc in self._vpcs_of(project)]})

    def _vpcs_of(self, project: str) -> list[ProjectVpc]:
        return [vpc for vpc in self._world.project_vpcs.values() if vpc.project == project]

    def _get(self, _: Request, project: str, vpc: str) -> Response:
        found, seen = self._project_vpc(project, vpc), self._world.after(-self._world.knobs.aiven_listed)
        shown = [connection for connection in found.connections if connection.created <= seen]
        return Response(200, _whole(replace(found, connections=shown)))

    def _create(self, request: Request, project: str, vpc: str) -> Response:
        found, body = self._project_vpc(project, vpc), request.json()
        for name in _NAMES:
            value = body.get(name)
            if not isinstance(value, str) or not value:
                raise aiven_error(400, f"Invalid input for {name}: {name} is required")
            if value != value.lower():
                raise aiven_error(400, f"Invalid input for {name}: Azure resource names must be in lower case")
        if found.state not in _LIVING:
            raise aiven_error(409, f"Project VPC is in state {found.state}", "conflict")
        account, group, vnet, app_id, tenant_id = (body[name] for name in _NAMES)
        self._check_application(app_id, tenant_id)
        connection = self._find(found, account, group, vnet)
        now, cidrs = self._world.now, body.get("user_peer_network_cidrs") or []
        if connection is not None and connection.state == "DELETED_BY_PEER":
            raise aiven_error(409, "VPC peering connection has been deleted by peer; delete it first", "conflict")
        if connection is None:
            connection = Connection(account, group, vnet, app_id, tenant_id, cidrs, "APPROVED", now, now)
            found.connections.append(connection)
        elif connection.state in _FAILED:
            connection.app_id, connection.tenant_id, connection.cidrs = app_id, tenant_id, cidrs or connection.cidrs
            connection.state, connection.since, connection.state_info = "APPROVED", now, None
        return Response(200, connection_body(connection))

    def _check_application(self, app_id: str, tenant_id: str) -> None:
        """Refuse an application that Aiven does not know, where it looks before it answers."""
        world = self._world
        if world.knobs.unknown_application_refused and not known_application(world, app_id, tenant_id, world.now):
            raise aiven_error(400, unknown_application(app_id))

    def _find(self, vpc: ProjectVpc, account: str, group: str, vnet: str) -> Connection | None:
        key = (account, group, vnet)
        return next((c for c in vpc.connections if (c.account, c.group, c.vnet) == key), None)

    def _refresh(self, _: Request, project: str, vpc: str) -> Response:
        found = self._project_vpc(project, vpc)
        for connection in found.connections:
            connection.refresh = connection.state in ("PENDING_PEER", "ACTIVE")
        # The answer shows the states from before: the refresh is asynchronous.
        return Response(200, _whole(found))

    def _delete(self, _: Request, project: str, vpc: str, account: str, group: str, vnet: str) -> Response:
        connection = self._find(self._project_vpc(project, vpc), account, group, vnet)
        if connection is None:
            raise aiven_error(404, "VPC peering connection does not exist", "vpc_peering_connection_not_found")
        if connection.state != "DELETING":
            connection.state, connection.since, connection.state_info = "DELETING", self._world.now, None
        return Response(200, connection_body(connection))

    def _put_cidrs(self, request: Request, project: str, vpc: str) -> Response:
        found, body = self._project_vpc(project, vpc), request.json()
        for entry in body.get("add", []):
            key = (entry["peer_cloud_account"], entry.get("peer_resource_group") or "", entry["peer_vpc"])
            connection = self._find(found, *key)
            if connection is None:
                raise aiven_error(404, "VPC peering connection does not exist", "vpc_peering_connection_not_found")
            connection.cidrs = sorted({*connection.cidrs, entry["cidr"]})
        for connection in found.connections:
            connection.cidrs = [cidr for cidr in connection.cidrs if cidr not in body.get("delete", [])]
        return Response(200, _whole(found))

    def _types(self, _: Request, project: str) -> Response:
        self._check_project(project)
        kind = {"price_usd": self._world.knobs.price_usd, "vpc_peering_connection_type": "azure-vnet-peering"}
        clouds = sorted({vpc.cloud_name for vpc in self._vpcs_of(project)})
        return Response(200, {"vpc_peering_connection_types": [{"cloud_name": cloud, **kind} for cloud in clouds]})


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _vpc_body(vpc: ProjectVpc) -> dict[str, Any]:
    return {
        "project_vpc_id": vpc.id,
        "cloud_name": vpc.cloud_name,
        "network_cidr": vpc.cidr,
        "state": vpc.state,
        "create_time": _stamp(vpc.created),
        "update_time": _stamp(vpc.created),
    }


def _whole(vpc: ProjectVpc) -> dict[str, Any]:
    connections = [connection_body(connection) for connection in vpc.connections]
    return {**_vpc_body(vpc), "pending_build_only_peering_connections": None, "peering_connections": connections}


def connection_body(connection: Connection) -> dict[str, Any]:
    """A peering connection as Aiven shows it."""
    return {
        "peer_cloud_account": connection.account,
        "peer_resource_group": connection.group,
        "peer_vpc": connection.vnet,
        "peer_region": None,
        "peer_azure_app_id": connection.app_id,
        "peer_azure_tenant_id": connection.tenant_id,
        "state": connection.state,
        "state_info": connection.state_info,
        "user_peer_network_cidrs": connection.cidrs,
        "vpc_peering_connection_type": "azure-vnet-peering",
        "create_time": _stamp(connection.created),
        "update_time": _stamp(connection.since),
    }
