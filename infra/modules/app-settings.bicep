// The app settings: given ones replace the existing values, some are removed, and all others stay as they were set.

import { SecretTexts, Texts } from 'types.bicep'

param appName string

@description('The current settings.')
param found SecretTexts

@description('The settings to change.')
param wanted Texts

@description('The names of the settings to remove if they are not wanted.')
param unwanted string[]

resource app 'Microsoft.Web/sites@2025-03-01' existing = { name: appName }

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    toObject(
      filter(items(found), setting => !contains(unwanted, setting.key)),
      setting => setting.key,
      setting => setting.value
    ),
    wanted
  )
}
