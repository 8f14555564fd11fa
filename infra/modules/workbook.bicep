// The workbook: the status of the peerings, the operations, and their durations.

import { Texts } from 'types.bicep'

param displayName string
param location string
param tags Texts
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('../monitoring/workbook.json')
  }
}
