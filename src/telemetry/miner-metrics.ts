import type { Counter, Gauge, Histogram } from 'prom-client'
import { type Maker, SECONDS } from './metric-maker.js'

/** What only a miner counts. */
export interface OwnMinerMetrics {
  readonly requests: Counter<'route' | 'outcome'>
  readonly rejections: Counter<'reason'>
  readonly upstreamDuration: Histogram
  readonly timeToFirstByte: Histogram
  readonly inFlight: Gauge
  readonly modelRequests: Counter<'model' | 'outcome'>
  readonly incentive: Gauge
  readonly upstreamHealthy: Gauge<'upstream'>
  readonly upstreamInFlight: Gauge<'upstream'>
}

export function minerMetrics(make: Maker): OwnMinerMetrics {
  const requests = make.counter('targon_miner_requests_total', 'Requests by route and outcome.', [
    'route',
    'outcome',
  ])
  // Exported from the start, because an alert on "not asked" sees no increase of a missing series.
  requests.inc({ route: 'chat', outcome: 'answered' }, 0)
  return {
    requests,
    rejections: make.counter('targon_epistula_rejections_total', 'Requests rejected at admission.', [
      'reason',
    ]),
    upstreamDuration: make.histogram(
      'targon_miner_upstream_duration_seconds',
      'Time from sending a request upstream to the last byte of the response.',
      SECONDS,
    ),
    timeToFirstByte: make.histogram(
      'targon_miner_first_byte_seconds',
      'Time from sending a request upstream to the first byte of the response.',
      SECONDS,
    ),
    modelRequests: make.counter(
      'targon_miner_model_requests_total',
      'Requests by served model and by whether the model server answered them: served or failed.',
      ['model', 'outcome'],
    ),
    incentive: make.gauge(
      'targon_miner_incentive_ratio',
      'Incentive of this miner in the last metagraph, from 0 to 1.',
    ),
    inFlight: make.gauge('targon_miner_in_flight', 'Requests in flight.'),
    upstreamHealthy: make.gauge(
      'targon_miner_upstream_healthy',
      '1 if the upstream accepts requests, otherwise 0.',
      ['upstream'],
    ),
    upstreamInFlight: make.gauge('targon_miner_upstream_in_flight', 'Requests in flight at the upstream.', [
      'upstream',
    ]),
  }
}
