/**
 * What the operator of a hub is told.
 *
 * Tests named after a behaviour: hub-alerts.test.ts (hub-conditions.ts, request-conditions.ts, request-ends.ts,
 * organics-conditions.ts, certificate-conditions.ts).
 */

export { hubConditions } from './hub-conditions.js'
export type { ExchangeCounts } from './organics-conditions.js'
export { createRequestEnds, type RequestEnds } from './request-ends.js'
