export { createDeadlines, type Deadlines, type Timed } from './deadlines.js'
export type { StandingLack } from './lack.js'
export { type RequestFacts, readRequest } from './request-body.js'
export { type Exchange, type Router, type RouterOptions, startRouter } from './router.js'
export {
  defaultLimits,
  type Outcome,
  type RoutingLimits,
  type UpstreamReport,
  type UpstreamSettings,
} from './types.js'
