/**
 * The public port: its HTTP server, its four routes, and what they count and remember. Tests named after a behaviour:
 * hostile-callers.test.ts (routes.ts, public-server.ts, unreadable-answer.ts), missing-model.test.ts (routes.ts),
 * routes.test.ts (request-counter.ts, serve.ts).
 */
export type { FrontEnd, FrontEndContext, FrontEndParts, WorkerReport } from './front-end.js'
export { createHttpServer } from './http-server.js'
export { openInProcessFrontEnd } from './in-process-front-end.js'
export { readPlaceLimits } from './place-limits.js'
export {
  type ListenOptions,
  listenWithRetries,
  readConnectionLimits,
} from './public-server.js'
export {
  type CallerCounts,
  createRequestCounter,
  type RequestCounter,
  type RequestCounts,
} from './request-counter.js'
export { readLimits } from './routing-limits.js'
export { type MinerSeries, minerSeries, startSeries } from './series.js'
export { openServing, type Serving, type ServingParts } from './serve.js'
export { createTraffic, type Traffic } from './traffic.js'
export { readUpstreams } from './upstream-settings.js'
export { createWantedModels, readWantedNames, type WantedModels } from './wanted-models.js'
