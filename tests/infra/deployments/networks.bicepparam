// VNets and a resource group in two subscriptions; ids as users write them, also with capital letters.

using '../../../infra/main.bicep'

param environmentName = 'networks'
param location = 'westeurope'
param name = 'networks'
param networks = [
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/Net-Prod/providers/Microsoft.Network/virtualNetworks/Hub-VNet'
  '/subscriptions/AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA/resourceGroups/Net-Test'
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/Net-Prod/providers/Microsoft.Network/virtualNetworks/Spoke-001'
]
