export { createDeadlines, type Deadlines, type Timed } from './deadlines.js'
export { type RequestFacts, readRequest } from './request-body.js'
export { type ForwardedRequest, type Router, type RouterOptions, startRouter } from './router.js'
export {
  defaultLimits,
  type Outcome,
  type RoutingLimits,
  type UpstreamReport,
  type UpstreamSettings,
} from './types.js'
export type { ModelUnavailableReason } from './unavailable.js'
