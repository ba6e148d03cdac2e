import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { packageVersion } from '../kernel/index.js'

/** The response to a Prometheus scrape. */
export interface MetricsText {
  readonly contentType: string
  text(): Promise<string>
}

/** Metrics of both neurons. Labels have few values: never a hotkey or uuid. */
export interface NeuronMetrics extends MetricsText {
  readonly chainHeadBlock: Gauge
  readonly chainReconnects: Counter
  readonly clockOffset: Gauge
  readonly updateChecks: Counter<'result'>
  readonly alerts: Gauge<'alert' | 'severity'>
  readonly alertMessages: Counter<'result'>
}

export interface MinerMetrics extends NeuronMetrics {
  readonly requests: Counter<'route' | 'outcome'>
  readonly rejections: Counter<'reason'>
  readonly upstreamDuration: Histogram
  readonly timeToFirstByte: Histogram
  readonly inFlight: Gauge
  readonly upstreamHealthy: Gauge<'upstream'>
  readonly upstreamInFlight: Gauge<'upstream'>
}

export interface ValidatorMetrics extends NeuronMetrics {
  readonly roundDuration: Histogram
  readonly verdicts: Counter<'cause'>
  readonly tokensPerSecond: Histogram
  readonly weightsLastSetBlock: Gauge
  readonly weightsAttempts: Counter<'result'>
  readonly engineReady: Gauge<'model'>
  readonly evidenceAlarms: Counter<'statistic'>
  readonly evidencePairs: Gauge<'standing'>
  readonly evidenceThreshold: Gauge
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
const TOKENS_PER_SECOND = [1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 1000]

/** Figures that others keep. */
export interface MetricsSources {
  /** Lines that were logged and never written. */
  readonly droppedLines: () => number
}

/** Creates the metrics of a role; each call has its own registry, so two roles can share a process. */
export function createMetrics(role: 'miner', sources?: MetricsSources): MinerMetrics
export function createMetrics(role: 'validator', sources?: MetricsSources): ValidatorMetrics
export function createMetrics(
  role: 'miner' | 'validator',
  sources: MetricsSources = { droppedLines: () => 0 },
): MinerMetrics | ValidatorMetrics {
  const registry = new Registry()
  const make = maker(registry)
  make
    .gauge('targon_build_info', 'Always 1; the labels give version and role.', ['version', 'role'])
    .set({ version: packageVersion(), role }, 1)
  make.counter(
    'targon_log_lines_dropped_total',
    'Log lines that could not be written.',
    [],
    sources.droppedLines,
  )
  const neuron: NeuronMetrics = {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    chainHeadBlock: make.gauge('targon_chain_head_block', 'Number of the latest block seen.'),
    chainReconnects: make.counter('targon_chain_reconnects_total', 'Reconnections to the chain.'),
    clockOffset: make.gauge(
      'targon_clock_offset_seconds',
      'Offset of the local clock from the chain in seconds: positive if ahead, negative if behind, 0 if they agree.',
    ),
    updateChecks: make.counter('targon_update_checks_total', 'Checks for a newer release.', ['result']),
    alerts: make.gauge('targon_alerts', 'Alerts that are raised, by name and severity.', [
      'alert',
      'severity',
    ]),
    alertMessages: make.counter(
      'targon_alert_messages_total',
      'Attempts to send a message to the alert webhook, by result: sent, refused or failed.',
      ['result'],
    ),
  }
  return role === 'miner' ? { ...neuron, ...minerMetrics(make) } : { ...neuron, ...validatorMetrics(make) }
}

/** Sets the metrics that the chain client keeps itself. */
export function noteChain(
  { chainReconnects, clockOffset }: NeuronMetrics,
  { reconnects, clockOffsetMs }: { readonly reconnects: number; readonly clockOffsetMs: number },
): void {
  chainReconnects.reset()
  chainReconnects.inc(reconnects)
  clockOffset.set(clockOffsetMs / 1000)
}

/** Sets the metric of the raised alerts. */
export function noteAlerts(
  { alerts }: Pick<NeuronMetrics, 'alerts'>,
  active: readonly { readonly id: string; readonly severity: string }[],
): void {
  alerts.reset()
  for (const { id: alert, severity } of active) alerts.inc({ alert, severity })
}

/** Sets the metric of the reference engines; models that are no longer wanted disappear. */
export function noteEngines(
  { engineReady }: Pick<ValidatorMetrics, 'engineReady'>,
  states: readonly { readonly model: string; readonly isReady: boolean }[],
): void {
  engineReady.reset()
  for (const { model, isReady } of states) engineReady.set({ model }, isReady ? 1 : 0)
}

function minerMetrics(make: Maker): Omit<MinerMetrics, keyof NeuronMetrics> {
  return {
    requests: make.counter('targon_miner_requests_total', 'Requests by route and outcome.', [
      'route',
      'outcome',
    ]),
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

function validatorMetrics(make: Maker): Omit<ValidatorMetrics, keyof NeuronMetrics> {
  const verdicts = make.counter(
    'targon_validator_verdicts_total',
    'Verdicts by cause; the cause of a passed check is verified.',
    ['cause'],
  )
  // Exported from the start, because an alert on "nothing verified" sees no increase of a missing series.
  verdicts.inc({ cause: 'verified' }, 0)
  return {
    roundDuration: make.histogram(
      'targon_validator_round_duration_seconds',
      'Duration of a round of queries.',
      SECONDS,
    ),
    verdicts,
    tokensPerSecond: make.histogram(
      'targon_validator_tokens_per_second',
      'Speed of verified answers in tokens per second.',
      TOKENS_PER_SECOND,
    ),
    weightsLastSetBlock: make.gauge(
      'targon_weights_last_set_block',
      'Block at which weights were last confirmed on chain.',
    ),
    engineReady: make.gauge(
      'targon_validator_engine_ready',
      'Whether the reference engine of a wanted model accepts calls: 1 or 0.',
      ['model'],
    ),
    weightsAttempts: make.counter('targon_weights_attempts_total', 'Weight submissions by result.', [
      'result',
    ]),
    evidenceAlarms: make.counter(
      'targon_validator_evidence_alarms_total',
      'Miners and models whose answers together contradicted the model, by the leading statistic.',
      ['statistic'],
    ),
    evidencePairs: make.gauge(
      'targon_validator_evidence_pairs',
      'Miners and models by what the evidence says of them: clean, suspected or barred.',
      ['standing'],
    ),
    evidenceThreshold: make.gauge(
      'targon_validator_evidence_threshold',
      'Decimal logarithm of the evidence at which a miner is accused.',
    ),
  }
}

type Maker = ReturnType<typeof maker>

function maker(registry: Registry) {
  const registers = [registry]
  return {
    gauge: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({ name, help, labelNames: [...labelNames], registers }),
    /** @param total read at every scrape, of a counter that is kept elsewhere. */
    counter: <L extends string = never>(
      name: string,
      help: string,
      labelNames: readonly L[] = [],
      total?: () => number,
    ) =>
      new Counter<L>({
        ...{ name, help, labelNames: [...labelNames], registers },
        ...(total && {
          collect() {
            this.reset()
            this.inc(total())
          },
        }),
      }),
    histogram: (name: string, help: string, buckets: readonly number[]) =>
      new Histogram({ name, help, buckets: [...buckets], registers }),
  }
}
