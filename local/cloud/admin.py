"""The admin routes of a local cloud, on loopback only: its state, requests and knobs, and events behind one's back."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.cloud import arm_authorization, graph
from local.cloud.aiven import connection_body
from local.cloud.arm_network import drop_side, peering_to
from local.cloud.gateway import Gateway
from local.cloud.platform import settle
from local.cloud.scenario import ScenarioError, scenario_of
from local.cloud.world import VNet, VNetPeering, World


def state(world: World) -> dict[str, Any]:
    """Everything that the cloud holds, without any secret."""
    settle(world)
    return {
        "applications": [graph.application_body(a) for a in world.applications],
        "servicePrincipals": [{**graph.principal_body(p, None), "tenantId": p.tenant_id} for p in world.principals],
        "roleDefinitions": [arm_authorization.definition_body("", r) for r in world.roles if not r.built_in],
        "roleAssignments": [arm_authorization.assignment_body(a) for a in world.assignments],
        "virtualNetworkPeerings": [_peering_body(p) for vnet in world.vnets.values() for p in vnet.peerings],
        "secrets": [
            {"vault": vault.name, "name": name, "versions": [{"version": v.version, "tags": v.tags} for v in versions]}
            for vault in world.vaults.values()
            for name, versions in vault.secrets.items()
        ],
        "peeringConnections": [{"project_vpc_id": v.id, **connection_body(c)} for v, c in world.connections()],
    }


def _peering_body(peering: VNetPeering) -> dict[str, Any]:
    return {
        "id": peering.id,
        "remote": peering.remote_id,
        "peeringState": peering.state,
        "peeringSyncLevel": peering.sync_level,
        "options": peering.options,
    }


class UnknownEventError(Exception):
    """The event does not exist, or what it names does not."""


def _vnet(world: World, arm_id: str) -> VNet:
    found = world.vnet(arm_id)
    if found is None:
        raise UnknownEventError(f"there is no VNet {arm_id}")
    return found


def _delete_peering(world: World, vnet_id: str, remote_id: str) -> None:
    vnet = _vnet(world, vnet_id)
    peering = peering_to(vnet, remote_id)
    if peering is None:
        raise UnknownEventError(f"{vnet_id} has no peering to {remote_id}")
    drop_side(world, vnet, peering)


def _change_address_space(world: World, vnet_id: str, prefixes: list[str]) -> None:
    vnet = _vnet(world, vnet_id)
    vnet.prefixes = prefixes
    for peering in vnet.peerings:
        peering.sync_level = "RemoteNotInSync"
        remote = world.vnet(peering.remote_id)
        other = peering_to(remote, vnet.id) if remote else None
        if other is not None:
            other.sync_level = "LocalNotInSync"


def _delete_vnet(world: World, vnet_id: str) -> None:
    vnet = _vnet(world, vnet_id)
    for peering in list(vnet.peerings):
        drop_side(world, vnet, peering)
    del world.vnets[vnet.id.lower()]


def _remove_assignments(world: World, principal_id: str) -> None:
    world.assignments[:] = [a for a in world.assignments if a.principal_id != principal_id]


def _enable_principal(world: World, principal_id: str, enabled: bool) -> None:
    for principal in world.principals:
        if principal.id == principal_id:
            principal.enabled = enabled


def _expire_passwords(world: World, app_id: str) -> None:
    application = world.application(app_id)
    for password in application.passwords if application else ():
        password.ends = datetime.now(UTC) - timedelta(days=1)


def _set_connection_state(world: World, vnet: str, state: str) -> None:
    for _, connection in world.connections():
        if connection.vnet == vnet.lower():
            connection.state, connection.since = state, world.now


EVENTS: Final[dict[str, Callable[..., None]]] = {
    "delete-vnet-peering": _delete_peering,
    "change-address-space": _change_address_space,
    "delete-vnet": _delete_vnet,
    "remove-role-assignments": _remove_assignments,
    "enable-service-principal": _enable_principal,
    "expire-passwords": _expire_passwords,
    "set-connection-state": _set_connection_state,
}


def admin_app(gateway: Gateway) -> Starlette:
    """The routes: GET /state, GET /requests, PUT /knobs, POST /events."""

    async def show_state(_: Request) -> JSONResponse:
        with gateway.lock:
            return JSONResponse(state(gateway.world))

    async def show_requests(_: Request) -> JSONResponse:
        with gateway.lock:
            return JSONResponse([asdict(request) for request in gateway.requests])

    async def put_knobs(request: Request) -> JSONResponse:
        try:
            knobs = scenario_of(await request.json(), gateway.world.knobs)
        except ScenarioError as error:
            return JSONResponse({"message": str(error)}, 400)
        with gateway.lock:
            gateway.world.knobs = knobs
        return JSONResponse(knobs.model_dump())

    async def post_event(request: Request) -> JSONResponse:
        given = await request.json()
        kind = given.pop("kind", "")
        if kind not in EVENTS:
            return JSONResponse({"message": f"there is no event {kind}; there are {', '.join(EVENTS)}"}, 400)
        try:
            with gateway.lock:
                settle(gateway.world)
                EVENTS[kind](gateway.world, **given)
        except (UnknownEventError, TypeError) as error:
            return JSONResponse({"message": str(error)}, 400)
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/state", show_state),
            Route("/requests", show_requests),
            Route("/knobs", put_knobs, methods=["PUT"]),
            Route("/events", post_event, methods=["POST"]),
        ]
    )
