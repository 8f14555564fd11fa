"""Aiven's API: VPCs of projects and organizations and their peering connections, as its public clients call it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from local.cloud.server.throttle import Throttle
from local.cloud.server.wire import ApiError, Handler, Request, Response, Routes
from local.cloud.world.landscape import ORGANIZATION
from local.cloud.world.platform import known_application, unknown_application
from local.cloud.world.world import Connection, Vpc, World
from peering.aiven_vpc import NAMES, Kind

#: What belongs to a project or to an organization, and what to a connection of a project VPC.
_OWNED: Final = r"/v1/{kind}/(?P<owner>[^/]+)"
_BY_NAMES: Final = r"peer-accounts/(?P<account>[^/]+)/peer-resource-groups/(?P<group>[^/]+)/peer-vpcs/(?P<vnet>[^/]+)"
_NAMES: Final = ("peer_cloud_account", "peer_resource_group", "peer_vpc", "peer_azure_app_id", "peer_azure_tenant_id")
#: States in which the idempotent POST requests the connection again.
_FAILED: Final = frozenset({"INVALID_SPECIFICATION", "REJECTED_BY_PEER", "ERROR"})
#: The project roles with `project:networking:write`.
_WRITERS: Final = frozenset({"admin", "operator"})
#: States of a VPC that is there to stay.
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
    "organization_id": ORGANIZATION,
    "payment_method": "no_payment_expected",
    "vat_id": "",
}


_ORGANIZATION: Final = {
    "account_id": "a0123456789a",
    "organization_name": "Example",
    "tier": "business",
    "create_time": "2024-01-01T00:00:00Z",
    "update_time": "2024-01-01T00:00:00Z",
}


_AZURE_EUROPE: Final = {"cloud_description": "Azure: Netherlands", "geo_region": "europe", "provider": "azure"}


@dataclass(frozen=True)
class _Paths:
    """How the paths of a VPC and of its connections are spelled."""

    kind: Kind
    spelling: str
    vpc: str
    connection: str
    refresh: str


_PATHS: Final = (
    _Paths("project", "plural", "vpcs", rf"peering-connections/{_BY_NAMES}", "peering-connections/refresh"),
    _Paths(
        *("organization", "singular", "vpc", r"peering-connection/(?P<connection>[^/]+)"),
        "peering-connections/refresh",
    ),
    _Paths(
        *("organization", "plural", "vpcs", r"peering-connections/(?P<connection>[^/]+)"),
        "peering-connections/actions/refresh",
    ),
)


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
        routes.add("GET", "/v1/organizations", self._organizations)
        for kind in NAMES:
            self._add_list(kind, "vpcs", self._list)
            self._add_list(kind, "vpc-peering-connection-types", self._types)
        self._add_list("organization", "vpc-clouds", self._clouds)
        for paths in _PATHS:
            self._add_routes_of(paths)

    def _add_list(self, kind: Kind, path: str, handler: Handler) -> None:
        """A route of what belongs to a project or to an organization."""

        def answer(_: Request, owner: str) -> Response:
            self._check_owner(kind, owner, writes=False)
            return handler(kind, owner)

        self.routes.add("GET", f"{_OWNED.format(kind=kind)}/{path}", answer)

    def _add_routes_of(self, paths: _Paths) -> None:
        self._add(paths, "GET", "", "VpcGet", self._get)
        self._add(paths, "POST", "/peering-connections", "VpcPeeringConnectionCreate", self._create)
        self._add(paths, "POST", f"/{paths.refresh}", "VpcPeeringConnectionRefresh", self._refresh)
        self._add(paths, "DELETE", f"/{paths.connection}", "VpcPeeringConnectionDelete", self._delete)
        self._add(paths, "PUT", "/user-peer-network-cidrs", "VpcPeeringConnectionUpdate", self._put_cidrs)
        if paths.kind == "organization":
            path = f"/{paths.connection}/user-peer-network-cidrs"
            self._add(paths, "PUT", path, "VpcPeeringConnectionUpdate", self._put_cidrs_of_connection)

    def _add(self, paths: _Paths, method: str, path: str, operation: str, handler: Handler) -> None:
        """A route of one VPC, under one spelling of its path, for users with the right that it takes."""

        def answer(request: Request, owner: str, vpc: str, **key: str) -> Response:
            if paths.kind == "organization" and self._world.knobs.organization_paths not in (paths.spelling, "both"):
                raise self._unknown_route()
            self._check_owner(paths.kind, owner, writes=method != "GET", operation=operation)
            return handler(request, self._vpc(paths.kind, owner, vpc), **key)

        self.routes.add(method, f"{_OWNED.format(kind=paths.kind)}/{paths.vpc}/(?P<vpc>[^/]+){path}", answer)

    def _unknown_route(self) -> ApiError:
        """What Aiven says on a path that it does not have, or not any more."""
        kind = self._world.knobs.organization_unknown
        if kind == "page":
            return ApiError(Response(404, b"<html>Not Found</html>", {"Content-Type": "text/html"}))
        if kind == "retired":
            return aiven_error(410, "API endpoint has been retired", "retired_api_endpoint")
        return aiven_error(404, "Not Found", None)

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

    def _check_owner(self, kind: Kind, owner: str, *, writes: bool, operation: str = "VpcList") -> None:
        """Refuse an owner that is not there, and a user without the right on it.

        An operator of a project has none in the organization.
        """
        owners = self._world.projects if kind == "project" else self._world.organizations
        if owner not in owners:
            if kind == "project":
                raise aiven_error(404, "Project does not exist", "project_not_found")
            raise aiven_error(404, "Organization does not exist", "organization_not_found")
        knobs = self._world.knobs
        held = {
            "project": "write" if knobs.aiven_role in _WRITERS else "read",
            "organization": knobs.organization_permission,
        }[kind]
        if held == "none" or (writes and held == "read"):
            raise aiven_error(403, f"You don't have permission to perform this action: {operation}", "forbidden")

    def _vpc(self, kind: Kind, owner: str, vpc: str) -> Vpc:
        found = self._world.vpcs.get(vpc.lower())
        if found is None or (found.named.kind, found.owner) != (kind, owner):
            if kind == "organization" and self._world.knobs.organization_unknown == "bare":
                raise self._unknown_route()
            if kind == "project":
                raise aiven_error(404, "Project VPC does not exist", "project_vpc_not_found")
            raise aiven_error(404, "Organization VPC does not exist", "organization_vpc_not_found")
        return found

    def _membership(self) -> dict[str, Any]:
        role, projects = self._world.knobs.aiven_role, self._world.projects
        return {
            "project_membership": dict.fromkeys(projects, role),
            "project_memberships": {project: [role] for project in projects},
        }

    def _projects(self, _: Request) -> Response:
        listed = [{**_PROJECT, "project_name": project} for project in self._world.projects]
        return Response(200, {"projects": listed, **self._membership()})

    def _organizations(self, _: Request) -> Response:
        listed = [{**_ORGANIZATION, "organization_id": one} for one in self._world.organizations]
        return Response(200, {"organizations": listed})

    def _me(self, _: Request) -> Response:
        user = {**_USER, "projects": self._world.projects, **self._membership()}
        return Response(200, {"user": user})

    def _list(self, kind: Kind, owner: str) -> Response:
        shown = [_vpc_body(vpc) for vpc in self._vpcs_of(kind, owner)]
        also = self._world.knobs.organization_vpcs_in_projects
        if kind == "project" and also != "hidden":
            shared = [_vpc_body(vpc) for vpc in self._world.vpcs.values() if vpc.named.kind == "organization"]
            shown += [{**one, also: one.pop("organization_vpc_id")} for one in shared]
        return Response(200, {"vpcs": shown})

    def _vpcs_of(self, kind: Kind, owner: str) -> list[Vpc]:
        return [vpc for vpc in self._world.vpcs.values() if (vpc.named.kind, vpc.owner) == (kind, owner)]

    def _get(self, _: Request, vpc: Vpc) -> Response:
        seen = self._world.after(-self._world.knobs.aiven_listed)
        shown = [connection for connection in vpc.connections if connection.created <= seen]
        return self._whole(replace(vpc, connections=shown))

    def _whole(self, vpc: Vpc) -> Response:
        connections = [connection_body(connection) for connection in vpc.connections]
        if not self._world.knobs.organization_connection_ids:
            connections = [{**one, "peering_connection_id": None} for one in connections]
        build = {"pending_build_only_peering_connections": None, "peering_connections": connections}
        return Response(200, {**_vpc_body(vpc), **build})

    def _create(self, request: Request, vpc: Vpc) -> Response:
        body = request.json()
        for name in _NAMES:
            value = body.get(name)
            if not isinstance(value, str) or not value:
                raise aiven_error(400, f"Invalid input for {name}: {name} is required")
            if value != value.lower():
                raise aiven_error(400, f"Invalid input for {name}: Azure resource names must be in lower case")
        if vpc.state not in _LIVING:
            raise aiven_error(409, f"{vpc.named.kind.capitalize()} VPC is in state {vpc.state}", "conflict")
        account, group, vnet, app_id, tenant_id = (body[name] for name in _NAMES)
        self._check_application(app_id, tenant_id)
        connection = self._repeated(vpc, self._find(vpc, account, group, vnet))
        now, cidrs = self._world.now, body.get("user_peer_network_cidrs") or []
        if connection is not None and connection.state == "DELETED_BY_PEER":
            raise aiven_error(409, "VPC peering connection has been deleted by peer; delete it first", "conflict")
        if connection is None:
            connection = Connection(account, group, vnet, app_id, tenant_id, cidrs, "APPROVED", now, now)
            connection.id = self._world.guid() if vpc.named.kind == "organization" else None
            vpc.connections.append(connection)
        elif connection.state in _FAILED:
            connection.app_id, connection.tenant_id, connection.cidrs = app_id, tenant_id, cidrs or connection.cidrs
            connection.state, connection.since, connection.state_info = "APPROVED", now, None
        return Response(200, connection_body(connection))

    def _repeated(self, vpc: Vpc, there: Connection | None) -> Connection | None:
        """The connection that a request is about, where there is one already: known of project VPCs alone."""
        repeat = self._world.knobs.organization_repeat
        if there is None or vpc.named.kind == "project" or repeat == "same":
            return there
        if repeat == "conflict" and there.state != "DELETED":
            raise aiven_error(409, "VPC peering connection already exists", "conflict")
        return None

    def _check_application(self, app_id: str, tenant_id: str) -> None:
        """Refuse an application that Aiven does not know, if Aiven checks before it answers."""
        world = self._world
        if world.knobs.unknown_application_refused and not known_application(world, app_id, tenant_id, world.now):
            raise aiven_error(400, unknown_application(app_id))

    def _find(self, vpc: Vpc, account: str, group: str, vnet: str) -> Connection | None:
        key = (account, group, vnet)
        return next((c for c in vpc.connections if (c.account, c.group, c.vnet) == key), None)

    def _refresh(self, _: Request, vpc: Vpc) -> Response:
        for connection in vpc.connections:
            connection.refresh = connection.state in ("PENDING_PEER", "ACTIVE")
        # The answer shows the states from before: the refresh is asynchronous.
        return self._whole(vpc)

    def _delete(self, _: Request, vpc: Vpc, **key: str) -> Response:
        found = vpc.connection(key["connection"]) if "connection" in key else self._find(vpc, **key)
        if found is None:
            raise aiven_error(404, "VPC peering connection does not exist", "vpc_peering_connection_not_found")
        if found.state != "DELETING":
            found.state, found.since, found.state_info = "DELETING", self._world.now, None
        return Response(200, connection_body(found))

    def _put_cidrs(self, request: Request, vpc: Vpc) -> Response:
        body = request.json()
        for entry in body.get("add", []):
            key = (entry["peer_cloud_account"], entry.get("peer_resource_group") or "", entry["peer_vpc"])
            connection = self._find(vpc, *key)
            if connection is None:
                raise aiven_error(404, "VPC peering connection does not exist", "vpc_peering_connection_not_found")
            connection.cidrs = sorted({*connection.cidrs, entry["cidr"]})
        for connection in vpc.connections:
            connection.cidrs = [cidr for cidr in connection.cidrs if cidr not in body.get("delete", [])]
        return self._whole(vpc)

    def _put_cidrs_of_connection(self, request: Request, vpc: Vpc, connection: str) -> Response:
        """The deprecated route, which the avn of 2026 still calls: it has one connection's networks, as texts."""
        held, body = vpc.connection(connection), request.json()
        if held is None:
            raise aiven_error(404, "VPC peering connection does not exist", "vpc_peering_connection_not_found")
        added = {entry["cidr"] for entry in body.get("add", [])}
        held.cidrs = sorted({*held.cidrs, *added} - set(body.get("delete", [])))
        return self._whole(vpc)

    def _clouds(self, kind: Kind, owner: str) -> Response:
        clouds = sorted({vpc.cloud_name for vpc in self._vpcs_of(kind, owner)})
        return Response(200, {"clouds": [{"cloud_name": cloud, **_AZURE_EUROPE} for cloud in clouds]})

    def _types(self, kind: Kind, owner: str) -> Response:
        price = {"price_usd": self._world.knobs.price_usd, "vpc_peering_connection_type": "azure-vnet-peering"}
        clouds = sorted({vpc.cloud_name for vpc in self._vpcs_of(kind, owner)})
        return Response(200, {"vpc_peering_connection_types": [{"cloud_name": cloud, **price} for cloud in clouds]})


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _vpc_body(vpc: Vpc) -> dict[str, Any]:
    """A VPC without its connections: that of an organization has a list of clouds, and a name."""
    cloud = {"cloud_name": vpc.cloud_name, "network_cidr": vpc.cidr}
    common = {"state": vpc.state, "create_time": _stamp(vpc.created), "update_time": _stamp(vpc.created)}
    if vpc.named.kind == "project":
        return {"project_vpc_id": vpc.id, **cloud, **common}
    return {**vpc.named.names, "clouds": [cloud], "display_name": "Shared", **common}


def connection_body(connection: Connection) -> dict[str, Any]:
    """A peering connection as Aiven shows it."""
    return {
        "peer_cloud_account": connection.account,
        "peer_resource_group": connection.group,
        "peer_vpc": connection.vnet,
        "peer_region": None,
        "peer_azure_app_id": connection.app_id,
        "peer_azure_tenant_id": connection.tenant_id,
        **({"peering_connection_id": connection.id} if connection.id is not None else {}),
        "state": connection.state,
        "state_info": connection.state_info,
        "user_peer_network_cidrs": connection.cidrs,
        "vpc_peering_connection_type": "azure-vnet-peering",
        "create_time": _stamp(connection.created),
        "update_time": _stamp(connection.since),
    }
