// The parameters for azd, GitHub Actions and the commands of docs/deploying.md: all values come from environment variables.
// A variable has the name of its parameter, PRIVATE_NETWORK for privateNetwork. `cloud` is that of the deployment.

using 'main.bicep'

import { given, optional, optionalNumber, parts } from 'modules/environment.bicep'

// ------------------------------------------------------------------------------------------------------ Location and names

param environmentName = given(readEnvironmentVariable('AZURE_ENV_NAME', ''), 'peering')
param location = given(readEnvironmentVariable('AZURE_LOCATION', ''), 'westeurope')
param name = optional(readEnvironmentVariable('RESOURCE_NAME', ''))
param resourceGroupName = optional(readEnvironmentVariable('RESOURCE_GROUP_NAME', ''))
// JSON, such as {"owner": "network"}.
param tags = json(given(readEnvironmentVariable('TAGS', ''), '{}'))

// ---------------------------------------------------------------------------------------------------------------- Networks

// VNets or resource groups, separated by spaces.
param networks = parts(readEnvironmentVariable('NETWORKS', ''), ' ')

// ----------------------------------------------------------------------------------------------------------------- Secrets

param aivenToken = readEnvironmentVariable('AIVEN_TOKEN', '')
param webhookSecret = readEnvironmentVariable('WEBHOOK_SECRET', '')
// For one deployment only.
param recoverVault = bool(given(readEnvironmentVariable('RECOVER_VAULT', ''), 'false'))
param vaultSuffix = readEnvironmentVariable('VAULT_SUFFIX', '')

// --------------------------------------------------- Settings: without a value, the current one or the app's default stays

param healthCheckSchedule = optional(readEnvironmentVariable('HEALTH_CHECK_SCHEDULE', ''))
param resumeSchedule = optional(readEnvironmentVariable('RESUME_SCHEDULE', ''))
param historySchedule = optional(readEnvironmentVariable('HISTORY_SCHEDULE', ''))
param historyDays = optionalNumber(readEnvironmentVariable('HISTORY_DAYS', ''))
// Ids, separated by commas as in the setting.
param allowedSubscriptions = empty(readEnvironmentVariable('ALLOWED_SUBSCRIPTIONS', ''))
  ? null
  : parts(readEnvironmentVariable('ALLOWED_SUBSCRIPTIONS', ''), ',')
param peeringsPerCaller = optionalNumber(readEnvironmentVariable('PEERINGS_PER_CALLER', ''))
param webhookUrl = optional(readEnvironmentVariable('WEBHOOK_URL', ''))
param registryTableEndpoint = optional(readEnvironmentVariable('REGISTRY_TABLE_ENDPOINT', ''))
param platformApplicationId = optional(readEnvironmentVariable('PLATFORM_APPLICATION_ID', ''))
param propagationDeadlineMinutes = optionalNumber(readEnvironmentVariable('PROPAGATION_DEADLINE_MINUTES', ''))
param platformDeadlineHours = optionalNumber(readEnvironmentVariable('PLATFORM_DEADLINE_HOURS', ''))
param readTimeoutSeconds = optionalNumber(readEnvironmentVariable('READ_TIMEOUT_SECONDS', ''))

// ----------------------------------------------------------------------------------------------------------------- Hosting

param privateNetwork = bool(given(readEnvironmentVariable('PRIVATE_NETWORK', ''), 'false'))
param networkPrefix = given(readEnvironmentVariable('NETWORK_PREFIX', ''), '10.255.255.0/26')
param durableBackend = any(given(readEnvironmentVariable('DURABLE_BACKEND', ''), 'storage'))
param alwaysReadyInstances = int(given(readEnvironmentVariable('ALWAYS_READY_INSTANCES', ''), '1'))
param httpConcurrency = int(given(readEnvironmentVariable('HTTP_CONCURRENCY', ''), '16'))
param instanceMemoryMB = any(int(given(readEnvironmentVariable('INSTANCE_MEMORY_MB', ''), '2048')))
param maximumInstanceCount = int(given(readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', ''), '40'))
param apiApplicationId = readEnvironmentVariable('API_APPLICATION_ID', '')
param locks = bool(given(readEnvironmentVariable('LOCKS', ''), 'false'))

// -------------------------------------------------------------------------------------------------------------- Monitoring

param logRetentionDays = int(given(readEnvironmentVariable('LOG_RETENTION_DAYS', ''), '30'))
// ARM ids, separated by spaces.
param actionGroupIds = parts(readEnvironmentVariable('ACTION_GROUP_IDS', ''), ' ')
param alerts = bool(given(readEnvironmentVariable('ALERTS', ''), 'true'))
param longestPauseOfChecks = given(readEnvironmentVariable('LONGEST_PAUSE_OF_CHECKS', ''), 'PT1H')
