// The app's own network: a subnet that it calls out of, and one with the private endpoints of what it calls.
// It is not one of the VNets to be peered.

import { Texts } from 'types.bicep'

param name string
param subnetAbbreviation string
param location string
param tags Texts

@description('Addresses that overlap with nothing that this network is to be connected to: at least a /26.')
param addressPrefix string

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: '${subnetAbbreviation}-app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 0)
          // What Flex Consumption asks for.
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: '${subnetAbbreviation}-endpoints'
        properties: { addressPrefix: cidrSubnet(addressPrefix, 27, 1), defaultOutboundAccess: false }
      }
    ]
  }
}

output id string = network.id
output appSubnetId string = network.properties.subnets[0].id
output endpointsSubnetId string = network.properties.subnets[1].id
