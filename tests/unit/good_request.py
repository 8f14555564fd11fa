"""The smallest request that is accepted, and the VNet that it names."""

VNET = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/Net-Prod"
    "/providers/Microsoft.Network/virtualNetworks/Hub-VNet"
)

GOOD = {"project": "my-project", "project_vpc_id": "0b39d9ec-76a2-4b0a-a0cd-5a1e1a2b3c4d", "vnet_id": VNET}
