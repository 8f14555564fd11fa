// The app's logs: Application Insights in a workspace, which accepts records from identities only.
//
// Both stay reachable from public networks, also with a private network. Records could otherwise be sent only through an
// Azure Monitor Private Link Scope. A VNet can use only one scope, which changes the DNS of all networks that share it, so
// it is for those who own the networks. Without a scope, a workspace that blocks public queries accepts none at all: the
// workbook and the portal show nothing, and it is documented nowhere that alert rules are an exception.

import { Texts } from 'types.bicep'

param workspaceName string
param insightsName string
param location string
param tags Texts

@description('The principal that sends records.')
param principalId string

param retentionInDays int

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionInDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: workspace.id, DisableLocalAuth: true }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, metricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Monitoring Metrics Publisher'
  }
}

output workspaceId string = workspace.id
output connectionString string = insights.properties.ConnectionString
