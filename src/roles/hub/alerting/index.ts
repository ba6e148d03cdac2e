/**
 * What the operator of a hub is told.
 *
 * Tests named after a behaviour: hub-alerts.test.ts (hub-conditions.ts, request-conditions.ts, request-ends.ts,
 * organics-conditions.ts, exchange.ts, certificate-conditions.ts).
 */

export { createExchange, type Exchange } from './exchange.js'
export { hubConditions } from './hub-conditions.js'
export { createRequestEnds, type RequestEnds } from './request-ends.js'
