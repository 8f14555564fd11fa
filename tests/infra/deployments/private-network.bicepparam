// App, storage and vault are not reachable from the internet; the logs are, with a token. Locks protect storage and vault.

using '../../../infra/main.bicep'

param environmentName = 'private'
param location = 'westeurope'
param name = 'private'
param cloud = 'AzureCloud'
param privateNetwork = true
param networkPrefix = '10.200.0.0/26'
param locks = true
