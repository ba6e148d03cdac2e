/**
 * Logs, metrics, the status server with its live page, progress and the connection to the supervisor.
 *
 * Tests named after a behaviour: metrics.test.ts (validator-metrics.ts), ../roles/miner/status.test.ts (miner-metrics.ts), ../roles/hub/figures/figures.test.ts (hub-metrics.ts).
 */

export type { GenAiMetrics } from './genai-metrics.js'
export { createLogger, type LogDestination, type LoggerOptions } from './logger.js'
export {
  createMetrics,
  createModelSeries,
  type HubMetrics,
  type MetricsText,
  type MinerMetrics,
  type NeuronMetrics,
  noteAlerts,
  noteChain,
  noteEngines,
  noteScoring,
  type ValidatorMetrics,
} from './metrics.js'
export { noteWorkers } from './miner-metrics.js'
export { type ApiDocument, describeApi, type StatusApi } from './openapi.js'
export { drawProgress, logProgress, type Progress } from './progress.js'
export { type StatusServer, type StatusServerOptions, startStatusServer } from './status-server.js'
export {
  connectSupervisor,
  type KeepAlive,
  type Supervisor,
  type SupervisorOptions,
} from './supervisor.js'
