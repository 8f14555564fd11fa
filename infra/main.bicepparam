// The parameters for azd and the commands of docs/deploying.md: all values come from environment variables.

using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'peering')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param aivenToken = readEnvironmentVariable('AIVEN_TOKEN', '')
param apiApplicationId = readEnvironmentVariable('API_APPLICATION_ID', '')

// VNets or resource groups, separated by spaces.
param networks = filter(split(readEnvironmentVariable('NETWORKS', ''), ' '), id => !empty(id))
