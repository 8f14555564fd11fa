// The function app and its resources, in a resource group of their own, and its access to the VNets to peer. Deployed with
// `azd provision` or `az deployment sub create`. infra/graph.sh makes the changes in Microsoft Graph.

import { Texts } from 'modules/types.bicep'

targetScope = 'subscription'

// ------------------------------------------------------------------------------------------------------ Location and names

@description('The name of this deployment; part of the resource group\'s name.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region of all resources; it must offer Flex Consumption and availability zones.')
param location string

@description('Distinguishes the resources of this deployment; part of names that must be globally unique. Optional.')
@minLength(3)
@maxLength(12)
param name string?

@description('The resource group to create, or to use if it exists; without it, one with the name of the environment.')
param resourceGroupName string?

@description('Tags for all resources that support tags.')
param tags Texts = {}

// ---------------------------------------------------------------------------------------------------------------- Networks

@description('The VNets to peer: ARM ids of VNets, or of resource groups that contain VNets, in this tenant.')
param networks string[] = []

// ----------------------------------------------------------------------------------------------------------------- Secrets

@description('The Aiven token of a user with project:networking:write. Stored only if the vault has none.')
@secure()
param aivenToken string = ''

@description('The key that signs the webhook\'s events, at least 16 characters. Stored only if the vault has none.')
@secure()
param webhookSecret string = ''

@description('Recovers the deleted vault of this name with its secrets. Use it for one deployment only.')
param recoverVault bool = false

@description('A suffix of the vault\'s name, for when a deleted vault reserves the name and is not to be recovered.')
@maxLength(8)
param vaultSuffix string = ''

// --------------------------------------------------- Settings: without a value, the current one or the app's default stays

@description('HEALTH_CHECK_SCHEDULE: when all peerings are checked; NCRONTAB with six fields, in UTC.')
param healthCheckSchedule string?

@description('RESUME_SCHEDULE: when orders without a running execution are started again.')
param resumeSchedule string?

@description('HISTORY_SCHEDULE: when runs older than HISTORY_DAYS are deleted.')
param historySchedule string?

@description('HISTORY_DAYS: how long completed runs are kept.')
param historyDays int?

@description('ALLOWED_SUBSCRIPTIONS: the ids of the subscriptions whose VNets may be peered; all if not given.')
param allowedSubscriptions string[]?

@description('PEERINGS_PER_CALLER: how many peerings of one caller may exist at a time; any number if not given.')
@minValue(1)
param peeringsPerCaller int?

@description('WEBHOOK_URL: the https address that receives changes of verdict. Requires webhookSecret.')
param webhookUrl string?

@description('REGISTRY_TABLE_ENDPOINT: another Table service for the registry; the identity needs its role on it.')
param registryTableEndpoint string?

@description('PLATFORM_APPLICATION_ID: the application that the platform signs in as, if it is not Aiven\'s.')
param platformApplicationId string?

@description('PROPAGATION_DEADLINE_MINUTES: how long new objects and rights may take to become effective.')
param propagationDeadlineMinutes int?

@description('PLATFORM_DEADLINE_HOURS: how long Aiven may take to build its side or to detect the Azure side.')
param platformDeadlineHours int?

@description('READ_TIMEOUT_SECONDS: how long to wait for a response of a remote service.')
param readTimeoutSeconds int?

// ----------------------------------------------------------------------------------------------------------------- Hosting

@description('Creates a VNet and private endpoints, and disables public access to all but the logs.')
param privateNetwork bool = false

@description('The address prefix of the app\'s VNet: at least a /26.')
param networkPrefix string = '10.255.255.0/26'

@description('Where the orchestrations are stored: the storage account, or, without privateNetwork, a Durable Task Scheduler.')
@allowed(['storage', 'scheduler'])
param durableBackend string = 'storage'

@description('Instances that are always running. With 0, an idle app takes an order only after a cold start.')
@minValue(0)
@maxValue(10)
param alwaysReadyInstances int = 1

@description('Requests that one instance handles concurrently.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('The memory of an instance. Importing the SDKs needs more than 300 MB in a new container.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('The maximum number of instances.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('The application that callers sign in to, created by infra/graph.sh; empty: function keys only.')
param apiApplicationId string = ''

@description('Protects storage, vault and, if there is one, the scheduler with locks against deletion.')
param locks bool = false

@description('The Azure cloud whose DNS zones and endpoints are used.')
param cloud 'AzureCloud' | 'AzureUSGovernment' | 'AzureChinaCloud' = any(environment().name)

// -------------------------------------------------------------------------------------------------------------- Monitoring

@description('How many days the workspace keeps logs.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('ARM ids of the action groups that are notified; without any, alerts are shown only in the portal.')
param actionGroupIds string[] = []

@description('Whether alert rules are created.')
param alerts bool = true

@description('The time without a check that triggers an alert: longer than the interval of healthCheckSchedule.')
param longestPauseOfChecks string = 'PT1H'

var abbreviations = loadJsonContent('abbreviations.json')
var clouds = loadJsonContent('clouds.json')
var pythonVersion = '3.11'
var derived = take('p${uniqueString(subscription().id, environmentName, location)}', 12)
var short = take(toLower(replace(name ?? derived, '-', '')), 12)
var appName = '${abbreviations.functionApp}-${short}'
var vaultName = '${abbreviations.keyVault}-${short}${vaultSuffix}'
var allTags = union(tags, { 'azd-env-name': environmentName })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName ?? 'rg-${environmentName}'
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: '${abbreviations.managedIdentity}-${short}', location: location, tags: allTags }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspace}-${short}'
    insightsName: '${abbreviations.applicationInsights}-${short}'
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    retentionInDays: logRetentionDays
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}${short}'
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    isPrivate: privateNetwork
    locked: locks
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: vaultName
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: privateNetwork
    locked: locks
    recovered: recoverVault
    aivenToken: aivenToken
    webhookSecret: webhookSecret
  }
}

// A scheduler accepts connections from any network, and what it stores would be reachable from outside.
var refusal = 'privateNetwork requires durableBackend=storage: the scheduler would be reachable from public networks.'
var hasScheduler = durableBackend == 'scheduler' && (privateNetwork ? fail(refusal) : true)

module scheduler 'modules/scheduler.bicep' = if (hasScheduler) {
  name: 'scheduler'
  scope: group
  params: {
    name: '${abbreviations.durableTaskScheduler}-${short}'
    location: location
    tags: allTags
    principalId: identity.outputs.principalId
    locked: locks
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    name: '${abbreviations.virtualNetwork}-${short}'
    subnetAbbreviation: abbreviations.subnet
    location: location
    tags: allTags
    addressPrefix: networkPrefix
  }
}

var storageParts = ['blob', 'queue', 'table']
module storageEndpoints 'modules/private-endpoint.bicep' = [
  for part in storageParts: if (privateNetwork) {
    name: 'private-${part}'
    scope: group
    params: {
      name: '${abbreviations.privateEndpoint}-${short}-${part}'
      location: location
      tags: allTags
      networkId: network!.outputs.id
      subnetId: network!.outputs.endpointsSubnetId
      targetId: storage.outputs.id
      part: part
      zoneName: 'privatelink.${part}.${clouds[cloud].storage}'
    }
  }
]

module vaultEndpoint 'modules/private-endpoint.bicep' = if (privateNetwork) {
  name: 'private-vault'
  scope: group
  params: {
    name: '${abbreviations.privateEndpoint}-${short}-vault'
    location: location
    tags: allTags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    targetId: vault.outputs.id
    part: 'vault'
    zoneName: clouds[cloud].vaultZone
  }
}

module appEndpoint 'modules/private-endpoint.bicep' = if (privateNetwork) {
  name: 'private-app'
  scope: group
  params: {
    name: '${abbreviations.privateEndpoint}-${short}-app'
    location: location
    tags: allTags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    targetId: app.outputs.id
    part: 'sites'
    zoneName: clouds[cloud].appZone
  }
}

// Settings of this deployment's resources: they always have these values.
var ownSettings = {
  // Only an account name would select the public cloud.
  AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
  AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
  AzureWebJobsStorage__tableServiceUri: storage.outputs.tableEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
  AZURE_CLOUD: cloud
  AZURE_CREDENTIAL: 'managed-identity'
  AZURE_CLIENT_ID: identity.outputs.clientId
  AZURE_TENANT_ID: tenant().tenantId
  KEY_VAULT_NAME: vaultName
  KEY_VAULT_ID: vault.outputs.id
  AIVEN_AUTH_TOKEN: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=aiven-auth-token)'
}

// With the storage account as backend these are removed, if an earlier deployment has made them.
var schedulerNames = [
  'AzureFunctionsJobHost__extensions__durableTask__hubName'
  'AzureFunctionsJobHost__extensions__durableTask__storageProvider__type'
  'AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName'
  'DURABLE_TASK_SCHEDULER'
]
var schedulerSettings = hasScheduler
  ? {
      AzureFunctionsJobHost__extensions__durableTask__hubName: scheduler!.outputs.hub
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER'
      DURABLE_TASK_SCHEDULER: 'Endpoint=${scheduler!.outputs.endpoint};Authentication=ManagedIdentity;ClientID=${identity.outputs.clientId}'
    }
  : {}

var webhookKey = '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=webhook-secret)'

// Settings that an operator may pass here or set manually: without a value, the current one stays.
var operatorSettings = filter(
  items({
    HEALTH_CHECK_SCHEDULE: healthCheckSchedule
    RESUME_SCHEDULE: resumeSchedule
    HISTORY_SCHEDULE: historySchedule
    HISTORY_DAYS: historyDays
    ALLOWED_SUBSCRIPTIONS: allowedSubscriptions == null ? null : join(allowedSubscriptions!, ',')
    PEERINGS_PER_CALLER: peeringsPerCaller
    WEBHOOK_URL: webhookUrl
    WEBHOOK_SECRET: webhookUrl == null ? null : webhookKey
    REGISTRY_TABLE_ENDPOINT: registryTableEndpoint
    PLATFORM_APPLICATION_ID: platformApplicationId
    PROPAGATION_DEADLINE_MINUTES: propagationDeadlineMinutes
    PLATFORM_DEADLINE_HOURS: platformDeadlineHours
    READ_TIMEOUT_SECONDS: readTimeoutSeconds
  }),
  setting => setting.value != null
)
var givenSettings = toObject(operatorSettings, setting => setting.key, setting => string(setting.value))

module app 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: appName
    planName: '${abbreviations.appServicePlan}-${short}'
    location: location
    tags: allTags
    identityId: identity.outputs.id
    packagesUrl: storage.outputs.packages
    subnetId: privateNetwork ? network!.outputs.appSubnetId : null
    isPrivate: privateNetwork
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    httpConcurrency: httpConcurrency
    apiApplicationId: empty(apiApplicationId) ? null : apiApplicationId
    authority: clouds[cloud].authority
    settings: union(ownSettings, schedulerSettings, givenSettings)
    removedSettings: schedulerNames
  }
}

module alertRules 'modules/alerts.bicep' = if (alerts) {
  name: 'alerts'
  scope: group
  params: {
    prefix: '${abbreviations.alertRule}-${short}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupIds: actionGroupIds
    longestPauseOfChecks: longestPauseOfChecks
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    displayName: 'VNet peerings (${short})'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

// ----------------------------------------------------------------------------------------------------- Access to the VNets

// An id is /subscriptions/{2}/resourceGroups/{4}/providers/Microsoft.Network/virtualNetworks/{8}; the end may be missing.
var wanted = map(networks, id => split(toLower(id), '/'))
var subscriptions = union(map(wanted, parts => parts[2]), [])

module roles 'modules/roles.bicep' = [
  for id in subscriptions: {
    name: 'roles-${short}'
    scope: subscription(id)
    params: { principalId: identity.outputs.principalId }
  }
]

module access 'modules/vnet-access.bicep' = [
  for (parts, index) in wanted: {
    name: 'access-${short}-${index}'
    scope: resourceGroup(parts[2], parts[4])
    params: {
      principalId: identity.outputs.principalId
      vnetName: length(parts) > 8 ? parts[8] : null
      platformRoleId: roles[indexOf(subscriptions, parts[2])].outputs.platformRoleId
      applicationRoleId: roles[indexOf(subscriptions, parts[2])].outputs.applicationRoleId
    }
  }
]

// ----------------------------------------------------------------------------------------------------------------- Outputs

@description('The app\'s host name; the API is below /api.')
output host string = app.outputs.host

@description('The principal id of the app\'s identity, which infra/graph.sh grants its Microsoft Graph permission.')
output principalId string = identity.outputs.principalId

output resourceGroup string = group.name
output appName string = appName
output vaultName string = vaultName
output workspaceId string = monitoring.outputs.workspaceId
