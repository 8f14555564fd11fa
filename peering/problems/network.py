"""Problems with VNets and VNet peerings."""

from typing import Final

from peering.problems.problem import Problem

NETWORK: Final = (
    Problem(
        "vnet-not-found",
        "The VNet does not exist",
        "Azure finds no VNet with this id, or the app's identity may not read it.",
        "Compare vnet_id with `az network vnet list`.",
        "the caller",
        status=422,
    ),
    Problem(
        "vnet-not-provisioned",
        "Another change of the VNet is in progress or failed",
        "Azure accepts no peering while the VNet, or one of its subnets, is being updated or deleted, or after a"
        " failed update.",
        "Wait; if the deadline passed, look at the VNet's provisioning state (`az network vnet show`). A failed"
        " update must be repeated (`az network vnet update`). Then send the request again.",
        "the network team",
        "propagation",
    ),
    Problem(
        "address-spaces-overlap",
        "The address spaces overlap",
        "Networks with overlapping addresses cannot be peered.",
        "Change the addresses of the VNet or the project VPC; the detail names the overlapping prefixes.",
        "the network team",
    ),
    Problem(
        "address-space-overlaps-peered-vnet",
        "The address space overlaps a network that is already peered",
        "A network that is peered with one of the two overlaps the other.",
        "Change the addresses of one of them; the detail names the networks. Removing a peering that is Connected (`az"
        " network vnet peering list`) stops the traffic that flows through it.",
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
        "Azure allows one peering between two networks; the VNet has one with another name.",
        "Take it over with `adopt: true`. Traffic may flow through a peering that is Connected (`az network vnet"
        " peering list`): remove it only if it is not needed.",
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
        "The Azure side was deleted earlier; Azure accepts a new one only after the platform has recreated its own.",
        "First check that no traffic flows. The connection must not be ACTIVE in Aiven (`avn vpc peering-connection"
        " list`), and no VNet peering to the platform's network Connected (`az network vnet peering list`). Then delete"
        " the connection in Aiven and send the request again: both sides are recreated.",
        "an Aiven project administrator",
    ),
    Problem(
        "remote-network-not-found",
        "The platform's network does not exist",
        "Azure finds no network with the to-network-id that Aiven returned.",
        "If the connection is not ACTIVE, delete it in Aiven and send the request again. If it is ACTIVE, ask Aiven's"
        " support which network it leads to.",
        "an Aiven project administrator",
    ),
    Problem(
        "peering-not-connected",
        "The VNet peering is not Connected yet",
        "Azure is still connecting the two sides.",
        "Wait; if the deadline passed, compare the peering on the VNet with the connection in Aiven, then send the"
        " request again.",
        "the network team",
        "propagation",
    ),
    Problem(
        "peering-failed",
        "Azure failed to provision the VNet peering",
        "Azure accepted the operation, which then failed. The state of a VNet peering does not say why.",
        "Look up the failed operation in the VNet's activity log, correct the cause and send the request again.",
        "the network team",
    ),
    Problem(
        "vnet-peering-missing",
        "The VNet peering is missing",
        "The VNet no longer has a peering to the project VPC's network: it was deleted. No traffic flows.",
        "No action with `repair: safe`: the connection is deleted and both sides are recreated. Otherwise send the"
        " request again.",
        "the network team",
    ),
    Problem(
        "vnet-peering-disconnected",
        "The VNet peering is Disconnected",
        "The platform's side was deleted, or its network was recreated. No traffic flows.",
        "No action with `repair: safe`: both sides are recreated. Otherwise send the request again.",
        "the network team",
    ),
    Problem(
        "traffic-not-allowed",
        "The VNet peering blocks traffic",
        "allowVirtualNetworkAccess was disabled on the VNet peering.",
        "Find out who disabled it, and why. Then send the request again: the peering is updated to allow traffic.",
        "the network team",
    ),
    Problem(
        "peering-options-differ",
        "The VNet peering has other options than requested",
        "An option of the VNet peering was changed after it had been created.",
        "Send the request again to restore the requested options, or with the options that you want.",
        "the network team",
    ),
    Problem(
        "peering-not-in-sync",
        "The VNet peering lacks the other network's new addresses",
        "The project VPC's address space changed; traffic to its new addresses does not flow.",
        "No action with `repair: safe`: the peering is synced. Otherwise `az network vnet peering sync`.",
        "the network team",
    ),
    Problem(
        "platform-side-not-in-sync",
        "The platform's side lacks the VNet's new addresses",
        "The VNet's address space changed, and only the platform can sync its own side.",
        "Ask Aiven's support to sync the peering; until then traffic from the new addresses does not flow.",
        "an Aiven project administrator",
    ),
    Problem(
        "peering-limit-reached",
        "The VNet has the maximum number of peerings",
        "Azure allows at most 500 peerings of one VNet.",
        "Remove peerings that are Disconnected (`az network vnet peering list`), through which no traffic flows, or use"
        " another VNet.",
        "the network team",
    ),
    Problem(
        "vnet-peering-unseen",
        "The VNet peering is not listed",
        "Azure lists no working VNet peering, although Aiven reports the connection as working.",
        "Wait; the app reads again before it recreates both sides. If the deadline passed, compare with `az network"
        " vnet peering list` and send the request again.",
        "the network team",
        "propagation",
    ),
)
