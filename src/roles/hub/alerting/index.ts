/** What the operator of a hub is told. Tests named after a behaviour: hub-alerts.test.ts (the conditions of all files). */

export { type HubAlertParts, hubConditions } from './hub-conditions.js'
export type { ExchangeCounts } from './organics-conditions.js'
export { createRequestEnds, type RequestEnds } from './request-ends.js'
