/**
 * From a model's name to the bytes of an answer: which model servers have it, which are healthy, which is the least busy,
 * and the streaming proxy to it. Tests named after a behaviour: forward.test.ts (upstream-places.ts).
 */
export { createDeadlines, type Deadlines, type Timed } from './deadlines.js'
export { findDistantMedia } from './distant-media.js'
export { inspectServer, type ServerInspection } from './inspect.js'
export { type BodyOutline, outlineBody, parseBody, type RequestFacts, readRequest } from './json-body.js'
export { errorType, openAiError } from './openai-error.js'
export {
  createRequestPolicy,
  findViolation,
  type PolicyViolation,
  type RequestPolicy,
} from './request-policy.js'
export { createRequestQueue, type RequestQueue } from './request-queue.js'
export {
  type FollowingRouter,
  type Forwarder,
  openFollowingRouter,
  type Router,
  type RouterOptions,
  startRouter,
} from './router.js'
export { defaultLimits, type RoutingLimits, type UpstreamSettings } from './settings.js'
export type { SharedPlace, SharedPlaces } from './shared-places.js'
export type { ForwardedRequest, MovedText, Outcome, TokenIds, UpstreamReport } from './types.js'
export type { ModelUnavailableReason } from './unavailable.js'
export type { NoPlace, Waiter } from './upstream-places.js'
export { upstreamState } from './upstream-state.js'
