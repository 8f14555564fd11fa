// Lets the app's identity read the VNets of one resource group, and assign the two roles of roles.bicep there, to
// service principals only. Deploy once for each resource group that holds VNets to peer.

@description('The principal id of the app\'s identity: an output of main.bicep.')
param principalId string

@description('The names (GUIDs) of the two roles: outputs of roles.bicep.')
param platformRoleId string
param applicationRoleId string

// Role Based Access Control Administrator; it includes */read.
var accessAdministrator = 'f58310d9-a9f6-439a-9e8d-f62e7b41a168'
var roles = '{${platformRoleId}, ${applicationRoleId}}'
var principals = 'StringEqualsIgnoreCase {\'ServicePrincipal\'}'
var attributes = 'Microsoft.Authorization/roleAssignments'
var mayWrite = '(!(ActionMatches{\'${attributes}/write\'})) OR (@Request[${attributes}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${roles} AND @Request[${attributes}:PrincipalType] ForAnyOfAnyValues:${principals})'
var mayDelete = '(!(ActionMatches{\'${attributes}/delete\'})) OR (@Resource[${attributes}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${roles} AND @Resource[${attributes}:PrincipalType] ForAnyOfAnyValues:${principals})'

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, principalId, accessAdministrator)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', accessAdministrator)
    principalId: principalId
    principalType: 'ServicePrincipal'
    conditionVersion: '2.0'
    condition: '(${mayWrite}) AND (${mayDelete})'
  }
}
