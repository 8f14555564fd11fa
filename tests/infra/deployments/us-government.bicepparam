// Another cloud, in a private network, as names differ there.

using '../../../infra/main.bicep'

param environmentName = 'us-government'
param location = 'usgovvirginia'
param name = 'usgov'
param cloud = 'AzureUSGovernment'
param privateNetwork = true
