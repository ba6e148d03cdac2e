/**
 * vLLM's HTTP API. Tests named after a behaviour: rejected-requests.test.ts (router.ts, request-schema.ts,
 * job-reader.ts), scoring.test.ts (answer.ts), shapes.test.ts (chat-answer.ts, completion-answer.ts,
 * model-documents.ts).
 */
export type { EngineState } from './engine-state.js'
export { makeMetrics } from './metrics.js'
export { route } from './router.js'
export { Slots } from './slots.js'
