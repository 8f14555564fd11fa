// The function app on Flex Consumption, its authentication and its settings.

import { Texts } from 'types.bicep'

param name string
param planName string
param location string
param tags Texts

@description('The app\'s user-assigned identity.')
param identityId string

@description('The URL of the container for the package.')
param packagesUrl string

@description('The subnet for outbound calls, and whether the app is reachable over its private endpoint only.')
param subnetId string?
param isPrivate bool

param pythonVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int
param httpConcurrency int

@description('The application that callers get tokens for. Without it, only function keys protect the API.')
param apiApplicationId string?
param authority string

@description('The settings to change; all others stay as they are, except for those to remove.')
param settings Texts
param removedSettings string[]

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  // azd finds the app for the service of azure.yaml by this tag.
  tags: union(tags, { 'azd-service-name': 'peering' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: subnetId
    siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2', ftpsState: 'Disabled', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // Without it, an idle app takes an order only after an instance has started and has polled its queues.
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'durable', instanceCount: alwaysReadyInstances }]
        // Requests spend most of their time waiting for Table Storage; the default for Python is one per instance.
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }

  // Code is deployed with identities, never with a password.
  resource ftp 'basicPublishingCredentialsPolicies' = { name: 'ftp', properties: { allow: false } }
  resource scm 'basicPublishingCredentialsPolicies' = { name: 'scm', properties: { allow: false } }

  resource authentication 'config' = if (apiApplicationId != null) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true, runtimeVersion: '~1' }
      globalValidation: { requireAuthentication: true, unauthenticatedClientAction: 'Return401' }
      httpSettings: { requireHttps: true }
      login: { tokenStore: { enabled: false } }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: { clientId: apiApplicationId, openIdIssuer: '${authority}${subscription().tenantId}/v2.0' }
          validation: { allowedAudiences: ['api://${apiApplicationId ?? ''}', apiApplicationId ?? ''] }
        }
      }
    }
  }
}

module appSettings 'app-settings.bicep' = {
  name: 'app-settings'
  params: {
    appName: app.name
    found: list('${app.id}/config/appsettings', app.apiVersion).properties
    wanted: settings
    unwanted: removedSettings
  }
}

output id string = app.id
output host string = app.properties.defaultHostName
