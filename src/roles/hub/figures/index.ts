/**
 * What a hub counts: requests by outcome, model and key, the last hour, what validators report, and what keys have used.
 *
 * Tests named after a behaviour: figures.test.ts (model-traffic.ts, series.ts, validator-reports.ts, request-metrics.ts).
 */
export { modelTraffic } from './model-traffic.js'
export { type Figures, openFigures } from './open-figures.js'
export type { RequestCounts } from './request-counter.js'
export { hubSeries } from './series.js'
