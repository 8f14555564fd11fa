// The function app on Flex Consumption, who may call it, and its settings.

import { Texts } from 'types.bicep'

param name string
param planName string
param location string
param tags Texts

@description('The user-assigned identity that the app is.')
param identityId string

@description('The URL of the container that takes the package.')
param packagesUrl string

@description('The subnet that the app calls out of, and whether nothing reaches it but over a private endpoint.')
param subnetId string?
param isPrivate bool

param pythonVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int
param httpConcurrency int

@description('The application that callers get their tokens for; none: the function keys alone say who may call.')
param apiApplicationId string?
param authority string

@description('The settings that are to be as here; every other one stays as it is.')
param settings Texts

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
  // By this tag azd finds where to deploy the service of azure.yaml.
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
        // Without it, an idle app takes an order only after an instance has started and its queues are polled again.
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'durable', instanceCount: alwaysReadyInstances }]
        // Requests wait for Table Storage most of the time; one for each instance is the default for Python.
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }

  // Code is deployed by identities, never by a password.
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
  }
}

output id string = app.id
output host string = app.properties.defaultHostName
