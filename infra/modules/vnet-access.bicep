// Lets the app's identity read the VNets of a resource group, or one VNet, and assign the two roles of roles.bicep there,
// to service principals only.

@description('The principal id of the app\'s identity.')
param principalId string

@description('The VNet; if null, all VNets of the resource group.')
param vnetName string?

@description('The names (GUIDs) of the two roles, which are outputs of roles.bicep.')
param platformRoleId string
param applicationRoleId string

// Role Based Access Control Administrator; it includes */read.
var accessAdministrator = 'f58310d9-a9f6-439a-9e8d-f62e7b41a168'
var roles = '{${platformRoleId}, ${applicationRoleId}}'
var principals = 'StringEqualsIgnoreCase {\'ServicePrincipal\'}'
var attributes = 'Microsoft.Authorization/roleAssignments'
var mayWrite = '(!(ActionMatches{\'${attributes}/write\'})) OR (@Request[${attributes}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${roles} AND @Request[${attributes}:PrincipalType] ForAnyOfAnyValues:${principals})'
var mayDelete = '(!(ActionMatches{\'${attributes}/delete\'})) OR (@Resource[${attributes}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${roles} AND @Resource[${attributes}:PrincipalType] ForAnyOfAnyValues:${principals})'

var condition = '(${mayWrite}) AND (${mayDelete})'

resource vnet 'Microsoft.Network/virtualNetworks@2025-05-01' existing = if (vnetName != null) {
  name: vnetName ?? 'none'
}

resource accessToGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (vnetName == null) {
  name: guid(resourceGroup().id, principalId, accessAdministrator)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', accessAdministrator)
    principalId: principalId
    principalType: 'ServicePrincipal'
    conditionVersion: '2.0'
    condition: condition
    description: 'Role Based Access Control Administrator, for two roles'
  }
}

resource accessToVNet 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (vnetName != null) {
  name: guid(vnet.id, principalId, accessAdministrator)
  scope: vnet
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', accessAdministrator)
    principalId: principalId
    principalType: 'ServicePrincipal'
    conditionVersion: '2.0'
    condition: condition
    description: 'Role Based Access Control Administrator, for two roles'
  }
}
