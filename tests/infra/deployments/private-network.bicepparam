// Nothing is reachable from the internet, and locks protect storage and vault.

using '../../../infra/main.bicep'

param environmentName = 'private'
param location = 'westeurope'
param name = 'private'
param cloud = 'AzureCloud'
param privateNetwork = true
param networkPrefix = '10.200.0.0/26'
param locks = true
