// The app's own VNet: a subnet for outbound calls, and one for private endpoints. It is not one of the VNets to peer.

import { Texts } from 'types.bicep'

param name string
param subnetAbbreviation string
param location string
param tags Texts

@description('An address prefix that does not overlap with any network to be connected to this one: at least a /26.')
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
          // Required by Flex Consumption.
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
