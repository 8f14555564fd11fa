// Orchestrations are kept by a Durable Task Scheduler; the app scales to nothing.

using '../../../infra/main.bicep'

param environmentName = 'scheduler'
param location = 'westeurope'
param name = 'scheduler'
param durableBackend = 'scheduler'
param alwaysReadyInstances = 0
param httpConcurrency = 32
