// The function app and all that it needs in one resource group: `azd up`, or `az deployment group create`.
// What it may do on the customer's VNets is infra/vnet-access.bicep: one deployment for each VNet's resource group.

@description('Where everything is made; the region has to offer Flex Consumption.')
param location string = resourceGroup().location

@description('Tells this deployment\'s resources from others; part of names that are unique worldwide.')
@minLength(3)
@maxLength(12)
param name string = take('p${uniqueString(resourceGroup().id)}', 12)

@description('The Aiven token of a user with project:networking:write on the projects. Kept in Key Vault.')
@secure()
param aivenToken string

@description('The application that the Aiven platform peers with.')
param platformApplicationId string = '55f300d4-fc50-4c5e-9222-e90a6e2187fb'

@description('When all peerings are checked: an NCRONTAB expression with six fields, in UTC.')
param healthCheckSchedule string = '0 */15 * * * *'

@description('Where changes of verdict are sent to: an https address. Empty: nowhere.')
param webhookUrl string = ''

@description('The key that the webhook\'s events are signed with, 16 characters at least; needed with webhookUrl. Kept in Key Vault.')
@secure()
param webhookSecret string = ''

var short = take(toLower(replace(name, '-', '')), 12)
var aivenTokenSecret = 'aiven-auth-token'
var webhookSecretName = 'webhook-secret'
var webhook = [
  { name: 'WEBHOOK_URL', value: webhookUrl }
  { name: 'WEBHOOK_SECRET', value: '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=${webhookSecretName})' }
]
var webhookSettings = empty(webhookUrl) ? [] : webhook

// Built-in roles, by their fixed ids.
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var queueContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${short}'
  location: location
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${short}'
  location: location
  properties: { sku: { name: 'PerGB2018' }, retentionInDays: 30 }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${short}'
  location: location
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: logs.id, DisableLocalAuth: true }
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: 'stp${short}'
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: { allowBlobPublicAccess: false, allowSharedKeyAccess: false, minimumTlsVersion: 'TLS1_2' }

  resource blobs 'blobServices' = {
    name: 'default'
    resource packages 'containers' = { name: 'packages' }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: 'kv-${short}'
  location: location
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 90
  }

  resource token 'secrets' = {
    name: aivenTokenSecret
    properties: { value: aivenToken }
  }

  resource webhookKey 'secrets' = if (!empty(webhookUrl)) {
    name: webhookSecretName
    properties: { value: webhookSecret }
  }
}

// Secrets Officer: the app writes, reads, disables, deletes and recovers the applications' passwords; what it deletes can
// be recovered for 90 days, since the vault lets nobody purge.
resource vaultAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, secretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The host's blobs, Durable Functions' queues and tables, and the registry's tables.
resource storageAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [blobOwner, queueContributor, tableContributor]: {
    name: guid(storage.id, identity.id, role)
    scope: storage
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource insightsAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, identity.id, metricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${short}'
  location: location
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

var appSettings = [
  // An account's name alone would mean the public cloud.
  { name: 'AzureWebJobsStorage__blobServiceUri', value: storage.properties.primaryEndpoints.blob }
  { name: 'AzureWebJobsStorage__queueServiceUri', value: storage.properties.primaryEndpoints.queue }
  { name: 'AzureWebJobsStorage__tableServiceUri', value: storage.properties.primaryEndpoints.table }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  }
  { name: 'AZURE_CLOUD', value: environment().name }
  { name: 'AZURE_CREDENTIAL', value: 'managed-identity' }
  { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
  { name: 'AZURE_TENANT_ID', value: subscription().tenantId }
  { name: 'KEY_VAULT_NAME', value: vault.name }
  { name: 'KEY_VAULT_ID', value: vault.id }
  {
    name: 'AIVEN_AUTH_TOKEN'
    value: '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=${aivenTokenSecret})'
  }
  { name: 'PLATFORM_APPLICATION_ID', value: platformApplicationId }
  { name: 'HEALTH_CHECK_SCHEDULE', value: healthCheckSchedule }
]

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${short}'
  location: location
  kind: 'functionapp,linux'
  tags: { 'azd-service-name': 'peering' }
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}packages'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'python', version: '3.11' }
      scaleAndConcurrency: {
        // The SDKs' import peaks above 300 MB in a fresh container.
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
        // Without it, an idle app takes an order only after an instance has started and its queues are polled again.
        alwaysReady: [{ name: 'durable', instanceCount: 1 }]
        // Requests wait for Table Storage most of the time; one for each instance is the default for Python.
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
    }
    siteConfig: {
      appSettings: concat(appSettings, webhookSettings)
    }
  }
  dependsOn: [storageAccess, vaultAccess]
}

@description('The app\'s host name; the API is under /api.')
output host string = app.properties.defaultHostName

@description('The identity to give Microsoft Graph permissions and access to VNets.')
output principalId string = identity.properties.principalId
