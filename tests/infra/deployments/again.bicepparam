// A deployment after a teardown: the vault is recovered and has a suffix; no token is passed.

using '../../../infra/main.bicep'

param environmentName = 'again'
param location = 'westeurope'
param name = 'again'
param recoverVault = true
param vaultSuffix = '2'
param alerts = false
