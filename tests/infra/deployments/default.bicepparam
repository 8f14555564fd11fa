// Only the required parameters, and one VNet.

using '../../../infra/main.bicep'

param environmentName = 'default'
param location = 'westeurope'
param name = 'default'
param aivenToken = 'the-aiven-token'
param networks = [
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/Net-Prod/providers/Microsoft.Network/virtualNetworks/Hub-VNet'
]
