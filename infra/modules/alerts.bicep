// Alerts for the operator: one rule for each query of infra/monitoring. It fires if the query returns rows, once for each
// value of its dimensions, and resolves automatically.

import { Texts } from 'types.bicep'

param prefix string
param location string
param tags Texts
param workspaceId string
param actionGroupIds string[]

@description('The time without a check of all peerings that triggers an alert: longer than the interval of the schedule.')
param longestPauseOfChecks string

type Rule = {
  title: string
  query: string

  @description('0: critical, 4: verbose.')
  severity: int

  @description('How often the query runs, and its time range: at most two days.')
  every: string
  within: string

  @description('The columns of the query whose values are alerts of their own, such as a second peering that fails.')
  each: string[]
}

var rules Rule[] = [
  {
    title: 'order-failed'
    query: loadTextContent('../monitoring/order-failed.kql')
    severity: 2
    every: 'PT5M'
    within: 'PT10M'
    each: ['peering', 'run']
  }
  {
    title: 'verdict-broken'
    query: loadTextContent('../monitoring/verdict-broken.kql')
    severity: 1
    every: 'PT5M'
    within: 'P2D'
    each: ['peering']
  }
  {
    title: 'verdict-unknown'
    query: loadTextContent('../monitoring/verdict-unknown.kql')
    severity: 2
    every: 'PT15M'
    within: 'P2D'
    each: ['peering']
  }
  {
    title: 'secret-near-expiry'
    query: loadTextContent('../monitoring/secret-near-expiry.kql')
    severity: 2
    every: 'PT1H'
    within: 'P2D'
    each: ['peering']
  }
  {
    title: 'checks-missing'
    query: loadTextContent('../monitoring/checks-missing.kql')
    severity: 1
    every: 'PT15M'
    within: longestPauseOfChecks
    each: []
  }
  {
    title: 'throttled'
    query: loadTextContent('../monitoring/throttled.kql')
    severity: 3
    every: 'PT15M'
    within: 'PT1H'
    each: []
  }
  {
    title: 'order-unended'
    query: loadTextContent('../monitoring/order-unended.kql')
    severity: 2
    every: 'PT1H'
    within: 'PT1H'
    each: ['peering', 'run']
  }
  {
    title: 'webhook-dead'
    query: loadTextContent('../monitoring/webhook-dead.kql')
    severity: 2
    every: 'PT15M'
    within: 'P2D'
    each: []
  }
  {
    title: 'own-errors'
    query: loadTextContent('../monitoring/own-errors.kql')
    severity: 2
    every: 'PT15M'
    within: 'PT15M'
    each: ['event']
  }
]

resource rule 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for one in rules: {
    name: '${prefix}-${one.title}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: one.title
      // The first line of each query describes what it finds.
      description: substring(split(one.query, '\n')[0], 3)
      severity: one.severity
      enabled: true
      evaluationFrequency: one.every
      windowSize: one.within
      scopes: [workspaceId]
      autoMitigate: true
      // The first records that the app sends create the tables.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: one.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [for column in one.each: { name: column, operator: 'Include', values: ['*'] }]
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: actionGroupIds }
    }
  }
]
