import type { Counter, Gauge, Histogram } from 'prom-client'
import { type Maker, SECONDS } from './metric-maker.js'

const RATES = [1, 5, 10, 20, 40, 80, 160, 320, 640, 1280]
const ATTEMPTS = [1, 2, 3, 4, 6, 10]

/**
 * What only a hub counts. The label `model` has the first hundred served models that were asked for, the label `key` the ids of the
 * first 200 keys that asked; all others are `other`.
 */
export interface OwnHubMetrics {
  readonly requests: Counter<'route' | 'outcome'>
  readonly refusals: Counter<'code'>
  readonly modelRequests: Counter<'model' | 'outcome'>
  readonly timeToFirstToken: Histogram<'model'>
  readonly tokensPerSecond: Histogram<'model'>
  readonly modelTokens: Counter<'model' | 'kind'>
  readonly attempts: Histogram<'model'>
  readonly furtherMiners: Counter<'model' | 'reason'>
  readonly tokens: Counter<'kind'>
  readonly keyRequests: Counter<'key' | 'outcome'>
  readonly keyTokens: Counter<'key'>
  readonly verdicts: Counter<'result'>
  readonly inFlight: Gauge
  readonly miners: Gauge
  readonly minersLeftOut: Gauge
  readonly models: Gauge
  readonly records: Gauge
  readonly recordsDropped: Gauge
  readonly bucketRows: Gauge
  readonly accountsUsable: Gauge
}

export function hubMetrics(make: Maker): OwnHubMetrics {
  const requests = make.counter(
    'targon_hub_requests_total',
    'Requests of users by route and outcome: answered, refused, failed or left.',
    ['route', 'outcome'],
  )
  // Exported from the start, because an alert on "no answers" sees no increase of a missing series.
  requests.inc({ route: '/v1/chat/completions', outcome: 'answered' }, 0)
  const verdicts = make.counter(
    'targon_hub_verdicts_total',
    'Verdicts that validators reported, by result: verified or failed.',
    ['result'],
  )
  for (const result of ['verified', 'failed'] as const) verdicts.inc({ result }, 0)
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
    modelTokens: make.counter(
      'targon_hub_model_tokens_total',
      'Tokens charged, by served model and kind: prompt or completion.',
      ['model', 'kind'],
    ),
    attempts: make.histogram('targon_hub_attempts', 'Miners asked for one request.', ATTEMPTS, ['model']),
    furtherMiners: make.counter(
      'targon_hub_further_miners_total',
      'Miners asked after the first of a request, by why: it had failed, or was slow.',
      ['model', 'reason'],
    ),
    keyRequests: make.counter('targon_hub_key_requests_total', 'Requests by id of the key and outcome.', [
      'key',
      'outcome',
    ]),
    keyTokens: make.counter('targon_hub_key_tokens_total', 'Tokens charged, by id of the key.', ['key']),
    verdicts,
    tokens: make.counter('targon_hub_tokens_total', 'Tokens charged, by kind: prompt or completion.', [
      'kind',
    ]),
    inFlight: make.gauge('targon_hub_in_flight', 'Requests of users in flight.'),
    miners: make.gauge('targon_hub_miners', 'Miners that serve a model.'),
    minersLeftOut: make.gauge(
      'targon_hub_miners_left_out',
      'Miners that serve a model and are not asked for a while, because they failed several times in a row.',
    ),
    models: make.gauge('targon_hub_models', 'Models that miners serve.'),
    records: make.gauge('targon_hub_records', 'Requests with answers that are kept for validators.'),
    recordsDropped: make.gauge(
      'targon_hub_records_dropped',
      'Requests with answers that could not be kept for want of room.',
    ),
    bucketRows: make.gauge('targon_hub_bucket_rows', 'Answers in the bucket that validators are handed now.'),
    accountsUsable: make.gauge(
      'targon_hub_accounts_usable',
      '1 while the database of the API keys answers, otherwise 0.',
    ),
  }
}
