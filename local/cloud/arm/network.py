"""Microsoft.Network in ARM: VNets and VNet peerings.

The order of the checks of a cross-tenant PUT, its codes and its texts follow public error reports.
"""

import re
from typing import Any, Final
from uuid import UUID, uuid5

from local.cloud.arm import rbac
from local.cloud.arm.service import SUBSCRIPTION, Arm, arm_error
from local.cloud.entra import Caller
from local.cloud.server.wire import Request, Response
from local.cloud.world.peerings import drop_side, peering_named, peering_to, put_side, refused, sync_level
from local.cloud.world.records import Options
from local.cloud.world.world import VNet, VNetPeering

PEER_ACTION: Final = "Microsoft.Network/virtualNetworks/peer/action"
_NETWORKS: Final = "Microsoft.Network/virtualNetworks"
_PEERINGS: Final = f"{_NETWORKS}/virtualNetworkPeerings"
_GROUP: Final = rf"{SUBSCRIPTION}/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Network/virtualNetworks"
_VNET: Final = rf"{_GROUP}/(?P<vnet>[^/]+)"
_PEERING: Final = rf"{_VNET}/virtualNetworkPeerings/(?P<name>[^/]+)"
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")
OPTIONS: Final = (
    "allowVirtualNetworkAccess",
    "allowForwardedTraffic",
    "allowGatewayTransit",
    "useRemoteGateways",
    "doNotVerifyRemoteGateways",
    "peerCompleteVnets",
)
#: Properties of a peering that Azure itself sets; all others exist only if a client has set them.
_OWN: Final = frozenset(
    {
        *("provisioningState", "resourceGuid", "peeringState", "peeringSyncLevel", "remoteVirtualNetwork"),
        *("remoteAddressSpace", "remoteVirtualNetworkAddressSpace", "routeServiceVips"),
    }
)


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
        peerings = [self._peering_body(peering) for peering in vnet.peerings]
        # It is another one whenever the network or one of its peerings has changed.
        shown = (vnet.prefixes, vnet.location, vnet.provisioning_state, [peering["etag"] for peering in peerings])
        return {
            "name": vnet.name,
            "id": vnet.id,
            "etag": f'W/"{uuid5(UUID(vnet.guid), repr(shown))}"',
            "type": "Microsoft.Network/virtualNetworks",
            "location": vnet.location,
            "properties": {
                "provisioningState": vnet.provisioning_state,
                "resourceGuid": vnet.guid,
                "addressSpace": _address_space(vnet.prefixes),
                "privateEndpointVNetPolicies": "Disabled",
                "subnets": [],
                "virtualNetworkPeerings": peerings,
                "enableDdosProtection": False,
            },
        }

    def _etag(self, peering: VNetPeering, *, under_way: bool = False) -> str:
        """A peering's etag, which is another one once its operation has ended."""
        ended = peering.provisioned_at <= self._world.now and not under_way
        return f'W/"{uuid5(UUID(peering.etag), "ended") if ended else peering.etag}"'

    def _peering_body(self, peering: VNetPeering) -> dict[str, Any]:
        remote = self._world.vnet(peering.remote_id)
        provisioned = "Updating" if peering.provisioned_at > self._world.now else "Succeeded"
        return {
            "name": peering.name,
            "id": peering.id,
            "etag": self._etag(peering),
            "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
            "properties": {
                "provisioningState": "Failed" if peering.failed else provisioned,
                "resourceGuid": peering.guid,
                "peeringState": peering.state,
                "peeringSyncLevel": sync_level(self._world, peering),
                "remoteVirtualNetwork": {"id": peering.remote_id},
                **{option: peering.options.get(option, False) for option in OPTIONS},
                **{name: value for name, value in peering.options.items() if name not in OPTIONS},
                "remoteAddressSpace": _address_space(peering.remote_prefixes),
                "remoteVirtualNetworkAddressSpace": _address_space(remote.prefixes if remote else []),
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
        body = self._vnet_body(vnet)
        return Response(200, body, {"ETag": body["etag"]})

    # Peerings.

    def _list_peerings(self, request: Request, **key: str) -> Response:
        vnet, _ = self._vnet(request, f"{_PEERINGS}/read", **key)
        return Response(200, {"value": [self._peering_body(peering) for peering in self._listed(vnet)]})

    def _listed(self, vnet: VNet) -> list[VNetPeering]:
        """The peerings that the list shows: it may lag behind, or miss them all for once."""
        knobs, listed = self._world.knobs, self._world.is_listed
        if knobs.list_blind:
            knobs.list_blind -= 1
            return []
        there = [peering for peering in vnet.peerings if listed(peering.created)]
        return [*there, *(peering for peering, ended in vnet.dropped if listed(peering.created, ended))]

    def _get_peering(self, request: Request, name: str, **key: str) -> Response:
        vnet, _ = self._vnet(request, f"{_PEERINGS}/read", **key)
        peering = peering_named(vnet, name)
        if peering is None:
            peering_id = f"{vnet.id}/virtualNetworkPeerings/{name}"
            raise arm_error(404, "NotFound", f"Resource {peering_id} not found.")
        return Response(200, self._peering_body(peering), {"ETag": self._etag(peering)})

    def _put_peering(self, request: Request, name: str, **key: str) -> Response:
        auxiliary = self._arm.auxiliary(request)
        vnet, caller = self._vnet(request, f"{_PEERINGS}/write", **key)
        properties = request.json().get("properties", {})
        remote_id = str((properties.get("remoteVirtualNetwork") or {}).get("id", ""))
        self._check_linked(caller, auxiliary, f"{vnet.id}/virtualNetworkPeerings/{name}", remote_id)
        remote = self._check_request(vnet, name, remote_id)
        existed = peering_named(vnet, name) is not None
        # Whole networks are peered unless a request says otherwise.
        options: Options = {o: bool(properties.get(o, o == "peerCompleteVnets")) for o in OPTIONS}
        options |= {name: value for name, value in properties.items() if name not in {*OPTIONS, *_OWN}}
        sync = request.query.get("syncRemoteAddressSpace", "").lower() == "true"
        peering = put_side(self._world, vnet, remote, name, options, sync=sync)
        headers = self._arm.begin_operation(request.host, vnet.subscription_id, vnet.location, location_header=False)
        body = self._peering_body(peering)
        body["etag"], body["properties"]["provisioningState"] = self._etag(peering, under_way=True), "Updating"
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
            raise refused("InvalidResourceName", f"Resource name {name} is invalid.")
        remote = self._world.vnet(remote_id)
        if remote is None:
            raise refused(
                "InvalidGlobalResourceReference",
                f"Resource {remote_id} referenced by resource {peering_id} was not found. Please make sure that the"
                " referenced resource exists.",
            )
        other = peering_to(vnet, remote_id)
        if other is not None and other.name.lower() != name.lower():
            raise refused(
                "AnotherPeeringAlreadyReferencesRemoteVnet",
                f"Peering {other.id} already references remote virtual network {remote_id}. Cannot add another peering"
                f" {peering_id} referencing the same remote virtual network.",
            )
        same = peering_named(vnet, name)
        if same is not None and same.remote_id.lower() != remote_id.lower():
            raise refused(
                "ChangingRemoteVnetNotAllowed",
                f"Changing the remote virtual network of the existing peering {peering_id} is not allowed.",
            )
        return remote

    def _delete_peering(self, request: Request, name: str, **key: str) -> Response:
        vnet, _ = self._vnet(request, f"{_PEERINGS}/delete", **key)
        peering = peering_named(vnet, name)
        if peering is None:
            return Response(204)
        drop_side(self._world, vnet, peering)
        headers = self._arm.begin_operation(request.host, vnet.subscription_id, vnet.location, location_header=True)
        return Response(202, None, headers)


def _address_space(prefixes: list[str]) -> dict[str, list[str]]:
    return {"addressPrefixes": prefixes, "ipamPoolPrefixAllocations": []}
