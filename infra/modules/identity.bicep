// The identity that the app signs in with.

import { Texts } from 'types.bicep'

param name string
param location string
param tags Texts

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
