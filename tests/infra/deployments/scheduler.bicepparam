// A Durable Task Scheduler stores the orchestrations, and a lock protects it; the app scales to zero.

using '../../../infra/main.bicep'

param environmentName = 'scheduler'
param location = 'westeurope'
param name = 'scheduler'
param durableBackend = 'scheduler'
param alwaysReadyInstances = 0
param httpConcurrency = 32
param locks = true
