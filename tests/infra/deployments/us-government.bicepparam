// Another Azure cloud with a private network, because its DNS zones differ.

using '../../../infra/main.bicep'

param environmentName = 'us-government'
param location = 'usgovvirginia'
param name = 'usgov'
param cloud = 'AzureUSGovernment'
param privateNetwork = true
