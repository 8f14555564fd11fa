// A webhook receives changes of verdict and an action group receives alerts; every setting is passed, and callers sign in.

using '../../../infra/main.bicep'

param environmentName = 'webhook'
param location = 'northeurope'
param name = 'webhook'
param tags = { owner: 'network' }
param webhookUrl = 'https://hooks.example.com/peerings'
param webhookSecret = 'the-key-of-the-webhook'
param healthCheckSchedule = '0 */5 * * * *'
param resumeSchedule = '0 */2 * * * *'
param historySchedule = '0 0 4 * * *'
param historyDays = 90
param allowedSubscriptions = ['44444444-4444-4444-4444-444444444444', '55555555-5555-5555-5555-555555555555']
param peeringsPerCaller = 20
param registryTableEndpoint = 'https://stregistry.table.core.windows.net'
param platformApplicationId = '22222222-2222-2222-2222-222222222222'
param propagationDeadlineMinutes = 30
param platformDeadlineHours = 48
param readTimeoutSeconds = 60
param apiApplicationId = '33333333-3333-3333-3333-333333333333'
param actionGroupIds = [
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-watch/providers/Microsoft.Insights/actionGroups/ag-night'
]
