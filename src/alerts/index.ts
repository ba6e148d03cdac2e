/**
 * Tells the operator what costs money: conditions that are looked at now and then, a book of which are raised, and messages to
 * a webhook.
 */

export { machineConditions } from './machine-conditions.js'
export { createRecentCounts, type RecentCounts } from './recent-counts.js'
export { type ActiveAlert, activeAlert, type Condition, type Finding, type Severity } from './types.js'
export { type Alerts, type AlertsOptions, startAlerts } from './watch-conditions.js'
