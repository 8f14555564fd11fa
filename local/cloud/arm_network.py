"""Microsoft.Network in ARM: VNets, and VNet peerings with their two-sided state machine.

The order of the checks of a cross-tenant PUT, its codes and its texts follow public error reports; the states follow
azure-cli's recordings `test_network_vnet_peering` and `test_network_vnet_peering_sync`.
"""

import re
from typing import Any, Final

from local.cloud import rbac
from local.cloud.arm import SUBSCRIPTION, Arm, arm_error
from local.cloud.entra import Caller
from local.cloud.wire import Request, Response
from local.cloud.world import VNet, VNetPeering, World

PEER_ACTION: Final = "Microsoft.Network/virtualNetworks/peer/action"
_NETWORKS: Final = "Microsoft.Network/virtualNetworks"
_PEERINGS: Final = f"{_NETWORKS}/virtualNetworkPeerings"
_GROUP: Final = rf"{SUBSCRIPTION}/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Network/virtualNetworks"
_VNET: Final = rf"{_GROUP}/(?P<vnet>[^/]+)"
_PEERING: Final = rf"{_VNET}/virtualNetworkPeerings/(?P<name>[^/]+)"
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")
_OPTIONS: Final = (
    "allowVirtualNetworkAccess",
    "allowForwardedTraffic",
    "allowGatewayTransit",
    "useRemoteGateways",
    "doNotVerifyRemoteGateways",
    "peerCompleteVnets",
)


def peering_to(vnet: VNet, remote_id: str) -> VNetPeering | None:
    """A VNet's peering that leads to another one."""
    return next((p for p in vnet.peerings if p.remote_id.lower() == remote_id.lower()), None)


def put_side(world: World, vnet: VNet, remote: VNet, name: str, options: dict[str, bool]) -> VNetPeering:
    """Make or renew one side of a peering; with the other side there, both become Connected.

    Raises:
        ApiError: 400, the networks overlap, or the other side is Disconnected and has to be renewed first.
    """
    _check_addresses(world, vnet, remote, name)
    other = peering_to(remote, vnet.id)
    mine = next((p for p in vnet.peerings if p.name.lower() == name.lower()), None)
    if other is not None and other.state == "Disconnected":
        if mine is None or mine.state != "Disconnected":
            raise _refused(
                "RemotePeeringIsDisconnected",
                f"Cannot create or update peering {vnet.id}/virtualNetworkPeerings/{name} because remote peering"
                f" {other.id} referencing parent virtual network {vnet.id} is in Disconnected state. Update or"
                " re-create the remote peering to get it back to Initiated state. Peering gets Disconnected when"
                " remote vnet or remote peering is deleted and re-created.",
            )
        other = None
    now, provisioned = world.now, world.after(world.knobs.operation)
    if mine is None:
        guid = other.guid if other else world.guid()
        mine = VNetPeering(name, vnet.id, remote.id, guid, world.guid(), "", now, provisioned, list(remote.prefixes))
        vnet.peerings.append(mine)
    mine.options, mine.etag, mine.provisioned_at = options, world.guid(), provisioned
    state = "Connected" if other else "Initiated"
    if mine.state != state:
        mine.state, mine.changed_at = state, now
    mine.sync_level = "FullyInSync" if other else "RemoteNotInSync"
    if other is not None and other.state != "Connected":
        other.state, other.sync_level, other.etag, other.changed_at = "Connected", "FullyInSync", world.guid(), now
    return mine


def drop_side(world: World, vnet: VNet, peering: VNetPeering) -> None:
    """Delete one side of a peering; the other becomes Disconnected."""
    vnet.peerings.remove(peering)
    remote = world.vnet(peering.remote_id)
    other = peering_to(remote, vnet.id) if remote else None
    if other is not None:
        other.state, other.sync_level = "Disconnected", "RemoteNotInSync"
        other.etag, other.changed_at = world.guid(), world.now


def _check_addresses(world: World, vnet: VNet, remote: VNet, name: str) -> None:
    peering_id = f"{vnet.id}/virtualNetworkPeerings/{name}"
    if overlap := vnet.overlaps(remote.prefixes):
        raise _refused(
            "VnetAddressSpacesOverlap",
            f"Cannot create or update peering {peering_id}. Virtual networks {vnet.id} and {remote.id} cannot be peered"
            f" because their address spaces overlap. Overlapping address prefixes: {', '.join(overlap)}",
        )
    for first, second in ((vnet, remote), (remote, vnet)):
        for peering in second.peerings:
            third = world.vnet(peering.remote_id)
            if third is None or third is first or not (overlap := first.overlaps(third.prefixes)):
                continue
            raise _refused(
                "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                f"Cannot create or update peering {peering_id}. Virtual networks {first.id} and {second.id} cannot be"
                " peered because address space of the first virtual network overlaps with address space of virtual"
                f" network {third.id} already peered with the second virtual network. Overlapping address prefixes:"
                f" {', '.join(overlap)}. For more information please refer to https://aka.ms/VnetPeeringInfo",
            )


def _refused(code: str, message: str) -> Exception:
    error = arm_error(400, code, message)
    error.response.body["error"]["details"] = []  # type: ignore[index]
    return error


class ArmNetwork:
    """The network provider's routes."""

    def __init__(self, arm: Arm) -> None:
        self._arm, self._world = arm, arm.world
        routes = arm.routes
        routes.add("GET", rf"{SUBSCRIPTION}/providers/Microsoft\.Network/virtualNetworks", self._list_vnets)
        routes.add("GET", _GROUP, self._list_vnets)
        routes.add("GET", _VNET, self._get_vnet)
        routes.add("GET", rf"{_VNET}/virtualNetworkPeerings", self._list_peerings)
        routes.add("GET", _PEERING, self._get_peering)
        routes.add("PUT", _PEERING, self._put_peering)
        routes.add("DELETE", _PEERING, self._delete_peering)

    # Bodies.

    def _vnet_body(self, vnet: VNet) -> dict[str, Any]:
        return {
            "name": vnet.name,
            "id": vnet.id,
            "etag": f'W/"{vnet.guid}"',
            "type": "Microsoft.Network/virtualNetworks",
            "location": vnet.location,
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": vnet.guid,
                "addressSpace": {"addressPrefixes": vnet.prefixes},
                "subnets": [],
                "virtualNetworkPeerings": [self._peering_body(peering) for peering in vnet.peerings],
                "enableDdosProtection": False,
            },
        }

    def _peering_body(self, peering: VNetPeering) -> dict[str, Any]:
        remote = self._world.vnet(peering.remote_id)
        updating = peering.provisioned_at > self._world.now
        return {
            "name": peering.name,
            "id": peering.id,
            "etag": f'W/"{peering.etag}"',
            "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
            "properties": {
                "provisioningState": "Updating" if updating else "Succeeded",
                "resourceGuid": peering.guid,
                "peeringState": peering.state,
                "peeringSyncLevel": peering.sync_level,
                "remoteVirtualNetwork": {"id": peering.remote_id},
                **{option: peering.options.get(option, False) for option in _OPTIONS},
                "remoteAddressSpace": {"addressPrefixes": peering.remote_prefixes},
                "remoteVirtualNetworkAddressSpace": {"addressPrefixes": remote.prefixes if remote else []},
                "routeServiceVips": {},
            },
        }

    # VNets.

    def _list_vnets(self, request: Request, subscription: str, group: str | None = None) -> Response:
        scope = f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else "")
        caller = self._arm.caller(request, subscription)
        inside = [v for v in self._world.vnets.values() if rbac.contains(scope, v.id)]
        # A list shows what the caller may read, without refusing.
        seen = [v for v in inside if rbac.may(self._world, caller.object_id, f"{_NETWORKS}/read", v.id)]
        return Response(200, {"value": [self._vnet_body(vnet) for vnet in seen]})

    def _vnet(self, request: Request, action: str, subscription: str, group: str, vnet: str) -> tuple[VNet, Caller]:
        scope = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{_NETWORKS}/{vnet}"
        caller = self._arm.authorize(request, action, scope)
        found = self._world.vnet(scope)
        if found is None:
            message = (
                f"The Resource 'Microsoft.Network/virtualNetworks/{vnet}' under resource group '{group}' was not found."
                " For more details please go to https://aka.ms/ARMResourceNotFoundFix"
            )
            raise arm_error(404, "ResourceNotFound", message, {"x-ms-failure-cause": "gateway"})
        return found, caller

    def _get_vnet(self, request: Request, **key: str) -> Response:
        vnet, _ = self._vnet(request, f"{_NETWORKS}/read", **key)
        return Response(200, self._vnet_body(vnet), {"ETag": f'W/"{vnet.guid}"'})

    # Peerings.

    def _list_peerings(self, request: Request, **key: str) -> Response:
        vnet, _ = self._vnet(request, f"{_PEERINGS}/read", **key)
        return Response(200, {"value": [self._peering_body(peering) for peering in vnet.peerings]})

    def _get_peering(self, request: Request, name: str, **key: str) -> Response:
        vnet, _ = self._vnet(request, f"{_PEERINGS}/read", **key)
        peering = next((p for p in vnet.peerings if p.name.lower() == name.lower()), None)
        if peering is None:
            peering_id = f"{vnet.id}/virtualNetworkPeerings/{name}"
            raise arm_error(404, "NotFound", f"Resource {peering_id} not found.")
        return Response(200, self._peering_body(peering), {"ETag": f'W/"{peering.etag}"'})

    def _put_peering(self, request: Request, name: str, **key: str) -> Response:
        auxiliary = self._arm.auxiliary(request)
        vnet, caller = self._vnet(request, f"{_PEERINGS}/write", **key)
        properties = request.json().get("properties", {})
        remote_id = str((properties.get("remoteVirtualNetwork") or {}).get("id", ""))
        self._check_linked(caller, auxiliary, f"{vnet.id}/virtualNetworkPeerings/{name}", remote_id)
        remote = self._check_request(vnet, name, remote_id)
        existed = any(p.name.lower() == name.lower() for p in vnet.peerings)
        # Whole networks are peered unless a request says otherwise.
        options = {option: bool(properties.get(option, option == "peerCompleteVnets")) for option in _OPTIONS}
        peering = put_side(self._world, vnet, remote, name, options)
        if request.query.get("syncRemoteAddressSpace", "").lower() == "true":
            peering.remote_prefixes = list(remote.prefixes)
            peering.sync_level = "FullyInSync" if peering.state == "Connected" else peering.sync_level
        headers = self._arm.begin_operation(request.host, vnet.subscription_id, vnet.location, location_header=False)
        body = self._peering_body(peering)
        body["properties"]["provisioningState"] = "Updating"
        return Response(200 if existed else 201, body, headers)

    def _check_linked(self, caller: Caller, auxiliary: list[Caller], peering_id: str, remote_id: str) -> None:
        """The right on the remote VNet, which a token of the remote tenant has to prove."""
        parts = remote_id.split("/")
        remote = self._world.subscriptions.get(parts[2].lower()) if len(parts) > 2 else None
        tenant = remote.tenant_id if remote else caller.tenant_id
        who = next((c for c in [caller, *auxiliary] if c.tenant_id == tenant), None)
        if who is None and remote is not None:
            message = (
                f"The client has permission to perform action '{PEER_ACTION}' on scope '{peering_id}', however the"
                f" current tenant '{caller.tenant_id}' is not authorized to access linked subscription '{remote.id}'."
            )
            raise arm_error(403, "LinkedAuthorizationFailed", message)
        if remote is None or who is None or not rbac.may(self._world, who.object_id, PEER_ACTION, remote_id):
            message = (
                f"The client '{caller.app_id}' with object id '{caller.object_id}' has permission to perform action"
                f" '{_PEERINGS}/write' on scope '{peering_id}'; however, it does not have permission to perform"
                f" action(s) '{PEER_ACTION}' on the linked scope(s) '{remote_id}' (respectively) or the linked scope(s)"
                " are invalid."
            )
            raise arm_error(403, "LinkedAuthorizationFailed", message)

    def _check_request(self, vnet: VNet, name: str, remote_id: str) -> VNet:
        peering_id = f"{vnet.id}/virtualNetworkPeerings/{name}"
        if not _NAME.fullmatch(name):
            raise _refused("InvalidResourceName", f"Resource name {name} is invalid.")
        remote = self._world.vnet(remote_id)
        if remote is None:
            raise _refused(
                "InvalidGlobalResourceReference",
                f"Resource {remote_id} referenced by resource {peering_id} was not found. Please make sure that the"
                " referenced resource exists.",
            )
        other = peering_to(vnet, remote_id)
        if other is not None and other.name.lower() != name.lower():
            raise _refused(
                "AnotherPeeringAlreadyReferencesRemoteVnet",
                f"Peering {other.id} already references remote virtual network {remote_id}. Cannot add another peering"
                f" {peering_id} referencing the same remote virtual network.",
            )
        same = next((p for p in vnet.peerings if p.name.lower() == name.lower()), None)
        if same is not None and same.remote_id.lower() != remote_id.lower():
            raise _refused(
                "ChangingRemoteVnetNotAllowed",
                f"Changing the remote virtual network of the existing peering {peering_id} is not allowed.",
            )
        return remote

    def _delete_peering(self, request: Request, name: str, **key: str) -> Response:
        vnet, _ = self._vnet(request, f"{_PEERINGS}/delete", **key)
        peering = next((p for p in vnet.peerings if p.name.lower() == name.lower()), None)
        if peering is None:
            return Response(204)
        drop_side(self._world, vnet, peering)
        headers = self._arm.begin_operation(request.host, vnet.subscription_id, vnet.location, location_header=True)
        return Response(202, None, headers)
