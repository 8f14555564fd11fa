// The vault of the applications' passwords, of the Aiven token and of the webhook's key.

import { Texts } from 'types.bicep'

param name string
param location string
param tags Texts

@description('The principal that reads and writes secrets.')
param principalId string

@description('The workspace that receives the audit log.')
param workspaceId string

@description('Reachable over private endpoints only.')
param isPrivate bool

@description('Protects the vault with a lock against deletion.')
param locked bool

@description('Recovers the deleted vault of this name with its secrets.')
param recovered bool

@secure()
param aivenToken string

@secure()
param webhookSecret string

// Secrets Officer: the app writes, reads, disables, deletes and recovers the applications' passwords. Deleted ones can be
// recovered for 90 days, because purging is disabled.
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    createMode: recovered ? 'recover' : 'default'
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: isPrivate ? 'Deny' : 'Allow' }
  }

  // Written only if it does not exist: a later deployment does not restore a token that has been rotated since.
  @onlyIfNotExists()
  resource token 'secrets' = if (!empty(aivenToken)) {
    name: 'aiven-auth-token'
    properties: { value: aivenToken, contentType: 'An Aiven token with project:networking:write' }
  }

  @onlyIfNotExists()
  resource webhookKey 'secrets' = if (!empty(webhookSecret)) {
    name: 'webhook-secret'
    properties: { value: webhookSecret, contentType: 'The key that signs events' }
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Key Vault Secrets Officer'
  }
}

// Newer than the latest stable version, and the first with category groups.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'audit', enabled: true }] }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'keep'
  scope: vault
  properties: { level: 'CanNotDelete', notes: 'It stores the passwords of the peerings.' }
}

output id string = vault.id
