// The two custom roles for a subscription with VNets to peer; the app itself then needs no right to create roles.
// A third role lets its identity read roles and assignments in the subscription. With it the app detects when a limit is
// near, and whether the platform's service principal is needed elsewhere.

targetScope = 'subscription'

@description('The principal id of the app\'s identity.')
param principalId string

resource platformRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'aiven-azure-peering', 'platform')
  properties: {
    roleName: 'Aiven VNet peering (platform) ${subscription().subscriptionId}'
    description: 'Allows creating a peering to VNets in scope, but not from them.'
    type: 'CustomRole'
    permissions: [{ actions: ['Microsoft.Network/virtualNetworks/peer/action'], notActions: [] }]
    assignableScopes: [subscription().id]
  }
}

resource applicationRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'aiven-azure-peering', 'application')
  properties: {
    roleName: 'Aiven VNet peering (application) ${subscription().subscriptionId}'
    description: 'Manages the peerings of the VNets it is assigned on.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Network/virtualNetworks/read'
          'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read'
          'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write'
          'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete'
        ]
        notActions: []
      }
    ]
    assignableScopes: [subscription().id]
  }
}

resource readerRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'aiven-azure-peering', 'reader')
  properties: {
    roleName: 'Aiven VNet peering (reader of roles) ${subscription().subscriptionId}'
    description: 'Reads role definitions and role assignments.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Authorization/roleDefinitions/read'
          'Microsoft.Authorization/roleAssignments/read'
        ]
        notActions: []
      }
    ]
    assignableScopes: [subscription().id]
  }
}

resource readerAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, readerRole.name)
  properties: {
    roleDefinitionId: readerRole.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output platformRoleId string = platformRole.name
output applicationRoleId string = applicationRole.name
