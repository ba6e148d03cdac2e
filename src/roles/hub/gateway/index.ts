/**
 * The API for users: keys, bodies, errors in OpenAI's shape, streams. Tests named after a behaviour: gateway.test.ts
 * (types.ts, open-gateway.ts, public-server.ts, routes.ts, serve-request.ts, serve-answer.ts, serve-plain.ts, read-request.ts), bad-input.test.ts
 * (gateway-error.ts, early-answers.ts), refusal-flood.test.ts (open-gateway.ts).
 */
export type { Sampling } from './miner-body.js'
export { type Gateway, openGateway } from './open-gateway.js'
export { readTls, type Validity } from './tls.js'
export type { RequestEnd } from './types.js'
