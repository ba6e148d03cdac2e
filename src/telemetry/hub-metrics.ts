import type { Counter, Gauge, Histogram } from 'prom-client'
import { type Maker, SECONDS } from './metric-maker.js'

const RATES = [1, 5, 10, 20, 40, 80, 160, 320, 640, 1280]
const ATTEMPTS = [1, 2, 3, 4, 6, 10]

/** What only a hub counts. The model label has names of served models only. */
export interface OwnHubMetrics {
  readonly requests: Counter<'route' | 'outcome'>
  readonly refusals: Counter<'code'>
  readonly modelRequests: Counter<'model' | 'outcome'>
  readonly timeToFirstToken: Histogram<'model'>
  readonly tokensPerSecond: Histogram<'model'>
  readonly attempts: Histogram
  readonly tokens: Counter<'kind'>
  readonly inFlight: Gauge
  readonly miners: Gauge
  readonly models: Gauge
  readonly records: Gauge
  readonly recordsDropped: Gauge
}

export function hubMetrics(make: Maker): OwnHubMetrics {
  const requests = make.counter(
    'targon_hub_requests_total',
    'Requests of users by route and outcome: answered, refused, failed or left.',
    ['route', 'outcome'],
  )
  // Exported from the start, because an alert on "no answers" sees no increase of a missing series.
  requests.inc({ route: '/v1/chat/completions', outcome: 'answered' }, 0)
  return {
    requests,
    refusals: make.counter('targon_hub_errors_total', 'Errors that users were sent, by code.', ['code']),
    modelRequests: make.counter('targon_hub_model_requests_total', 'Requests by served model and outcome.', [
      'model',
      'outcome',
    ]),
    timeToFirstToken: make.histogram(
      'targon_hub_first_token_seconds',
      'Time from a user’s request to the first token.',
      SECONDS,
      ['model'],
    ),
    tokensPerSecond: make.histogram(
      'targon_hub_tokens_per_second',
      'Tokens per second of an answer, from the first token to the last.',
      RATES,
      ['model'],
    ),
    attempts: make.histogram('targon_hub_attempts', 'Miners asked for one request.', ATTEMPTS),
    tokens: make.counter('targon_hub_tokens_total', 'Tokens charged, by kind: prompt or completion.', [
      'kind',
    ]),
    inFlight: make.gauge('targon_hub_in_flight', 'Requests of users in flight.'),
    miners: make.gauge('targon_hub_miners', 'Miners that serve a model.'),
    models: make.gauge('targon_hub_models', 'Models that miners serve.'),
    records: make.gauge('targon_hub_records', 'Requests with answers that are kept for validators.'),
    recordsDropped: make.gauge(
      'targon_hub_records_dropped',
      'Requests with answers that could not be kept for want of room.',
    ),
  }
}
