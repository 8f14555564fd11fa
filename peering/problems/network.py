"""Problems with VNets and VNet peerings."""

from typing import Final

from peering.problems.problem import Problem

NETWORK: Final = (
    Problem(
        "vnet-not-found",
        "The VNet does not exist",
        "Azure finds no VNet under this id, or the app's identity may not see it.",
        "Compare vnet_id with `az network vnet list`.",
        "the caller",
        status=422,
    ),
    Problem(
        "vnet-not-provisioned",
        "The VNet is busy with another change",
        "Azure takes no peering while the VNet, or one of its subnets, is being updated or deleted, nor after an update"
        " that failed.",
        "Wait; the app tries again by itself. An update that failed has to be repeated (`az network vnet update`).",
        "the network team",
        "propagation",
    ),
    Problem(
        "address-spaces-overlap",
        "The address spaces overlap",
        "Two networks with common addresses cannot be peered.",
        "Give the VNet or the project VPC other addresses; the detail names the overlapping prefixes.",
        "the network team",
    ),
    Problem(
        "address-space-overlaps-peered-vnet",
        "The address space overlaps a network that is already peered",
        "A network that is peered to one of the two has addresses in common with the other.",
        "Change the addresses of one of them; the detail names the networks. Removing a peering that is Connected (`az"
        " network vnet peering list`) cuts what flows through it.",
        "the network team",
    ),
    Problem(
        "peering-name-taken",
        "The VNet peering's name is taken",
        "The VNet has a peering of this name that leads to another network.",
        "Send the request with another peering_name.",
        "the caller",
        status=422,
    ),
    Problem(
        "network-peered-already",
        "Another peering of the VNet leads to the same network",
        "Azure allows one peering between two networks; the VNet has one of another name.",
        "Have it taken over with `adopt: true`. Traffic may flow through a peering that is Connected (`az network vnet"
        " peering list`): remove it only if nobody needs it.",
        "the network team",
    ),
    Problem(
        "remote-gateway-missing",
        "The platform's network has no gateway",
        "`use_remote_gateways` asks for the gateway of the network on the other side, which has none.",
        "Send the request again with `use_remote_gateways: false`.",
        "the caller",
        status=422,
    ),
    Problem(
        "remote-peering-disconnected",
        "The platform's side of the peering is Disconnected",
        "The Azure side was deleted earlier; Azure takes a new one only after the platform has renewed its own.",
        "See first that no traffic flows: the connection is not ACTIVE in Aiven (`avn vpc peering-connection list`),"
        " and no VNet peering to the platform's network is Connected (`az network vnet peering list`). Then delete the"
        " connection in Aiven and send the request again: both sides are made anew.",
        "an Aiven project administrator",
    ),
    Problem(
        "remote-network-not-found",
        "The platform's network does not exist",
        "Azure finds no network under the to-network-id that Aiven gave.",
        "If the connection is not ACTIVE, delete it in Aiven and send the request again.",
        "an Aiven project administrator",
    ),
    Problem(
        "peering-not-connected",
        "The VNet peering is not Connected yet",
        "Azure is still joining the two sides.",
        "Wait; if the deadline passed, compare the peering on the VNet with the connection in Aiven.",
        "the network team",
        "propagation",
    ),
    Problem(
        "peering-failed",
        "Azure failed to provision the VNet peering",
        "The operation was accepted and then failed; the detail is Azure's own message.",
        "Correct what the detail names and send the request again.",
        "the network team",
    ),
    Problem(
        "vnet-peering-missing",
        "The VNet peering is gone",
        "The VNet has no peering to the project VPC's network any more: somebody deleted it. No traffic flows.",
        "Nothing with `repair: safe`: the connection is deleted and both sides are made anew. Otherwise send the"
        " request again.",
        "the network team",
    ),
    Problem(
        "vnet-peering-disconnected",
        "The VNet peering is Disconnected",
        "The platform's side was deleted, or its network made anew. No traffic flows.",
        "Nothing with `repair: safe`: both sides are made anew. Otherwise send the request again.",
        "the network team",
    ),
    Problem(
        "traffic-not-allowed",
        "The VNet peering lets no traffic through",
        "allowVirtualNetworkAccess was switched off on the VNet peering.",
        "Send the request again: the peering is put with traffic allowed. Ask first who switched it off, and why.",
        "the network team",
    ),
    Problem(
        "peering-options-differ",
        "The VNet peering has other options than requested",
        "Somebody changed an option of the VNet peering after it had been made.",
        "Send the request again to put the requested options back, or with the options as they should be.",
        "the network team",
    ),
    Problem(
        "peering-not-in-sync",
        "The VNet peering does not know the other network's new addresses",
        "The project VPC's address space changed; traffic to its new addresses does not flow.",
        "Nothing with `repair: safe`: the peering is synced. Otherwise `az network vnet peering sync`.",
        "the network team",
    ),
    Problem(
        "platform-side-not-in-sync",
        "The platform's side does not know the VNet's new addresses",
        "The VNet's address space changed, and only the platform can sync its own side.",
        "Ask Aiven's support to sync the peering; until then traffic from the new addresses does not flow.",
        "an Aiven project administrator",
    ),
    Problem(
        "peering-limit-reached",
        "The VNet has no room for another peering",
        "Azure allows at most 500 peerings of one VNet.",
        "Remove peerings that are Disconnected (`az network vnet peering list`), through which no traffic flows, or use"
        " another VNet.",
        "the network team",
    ),
    Problem(
        "vnet-peering-unseen",
        "The VNet peering does not show",
        "Azure shows no VNet peering that works, although Aiven takes the connection for a good one.",
        "Wait; the app looks once more before it makes both sides anew.",
        "the network team",
        "propagation",
    ),
)
