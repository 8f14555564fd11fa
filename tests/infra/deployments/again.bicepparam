// A deployment after a teardown: the vault comes back under its name, or another one has a suffix; no token is given.

using '../../../infra/main.bicep'

param environmentName = 'again'
param location = 'westeurope'
param name = 'again'
param recoverVault = true
param vaultSuffix = '2'
param alerts = false
