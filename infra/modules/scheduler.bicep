// The Durable Task Scheduler, instead of the storage account's queues and tables.

import { Texts } from 'types.bicep'

param name string
param location string
param tags Texts

@description('The principal that uses the task hub.')
param principalId string

@description('Protects the scheduler with a lock against deletion.')
param locked bool

var dataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: { sku: { name: 'Consumption' }, ipAllowlist: ['0.0.0.0/0'] }

  resource hub 'taskHubs' = { name: 'peerings' }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler.id, principalId, dataContributor)
  scope: scheduler
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Durable Task Data Contributor'
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'keep'
  scope: scheduler
  properties: { level: 'CanNotDelete', notes: 'It stores the orchestrations in progress.' }
}

output endpoint string = scheduler.properties.endpoint
output hub string = scheduler::hub.name
