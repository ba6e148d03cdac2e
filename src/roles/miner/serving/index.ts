/**
 * The public port: its HTTP server, its four routes, and what they count and remember. Tests named after a behaviour:
 * hostile-callers.test.ts (routes.ts, public-server.ts, unreadable-answer.ts), missing-model.test.ts (routes.ts),
 * routes.test.ts (request-counter.ts).
 */
export { readPlaceLimits } from './place-limits.js'
export { listenPublicly, type PublicServer } from './public-server.js'
export {
  type CallerCounts,
  createRequestCounter,
  type RequestCounter,
  type RequestCounts,
} from './request-counter.js'
export { createRequestHandler } from './routes.js'
export { type MinerSeries, minerSeries, startSeries } from './series.js'
export { createTraffic, type Traffic } from './traffic.js'
export { readLimits, readUpstreams } from './upstream-settings.js'
export { createWantedModels, type WantedModels } from './wanted-models.js'
