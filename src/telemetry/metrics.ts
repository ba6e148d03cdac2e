import { type Counter, collectDefaultMetrics, type Gauge, Registry } from 'prom-client'
import { packageVersion } from '../kernel/index.js'
import { createGenAiMetrics, type GenAiMetrics } from './genai-metrics.js'
import { hubMetrics, type OwnHubMetrics } from './hub-metrics.js'
import { maker } from './metric-maker.js'
import { minerMetrics, type OwnMinerMetrics } from './miner-metrics.js'
import { type OwnValidatorMetrics, validatorMetrics } from './validator-metrics.js'

/** The response to a Prometheus scrape. */
export interface MetricsText {
  readonly contentType: string
  text(): Promise<string>
}

/** Metrics of every role. Labels have few values: never a hotkey or uuid. */
export interface NeuronMetrics extends MetricsText {
  readonly chainHeadBlock: Gauge
  readonly chainReconnects: Counter
  readonly clockOffset: Gauge
  readonly updateChecks: Counter<'result'>
  readonly registered: Gauge
  /** Inference under the names of OpenTelemetry; absent unless they are wanted. */
  readonly genAi?: GenAiMetrics
  readonly alerts: Gauge<'alert' | 'severity'>
  readonly alertMessages: Counter<'result'>
}

export interface MinerMetrics extends NeuronMetrics, OwnMinerMetrics {}

export interface ValidatorMetrics extends NeuronMetrics, OwnValidatorMetrics {}

export interface HubMetrics extends NeuronMetrics, OwnHubMetrics {}

/** Figures that others keep. */
export interface MetricsSources {
  /** Lines that were logged and never written. */
  readonly droppedLines: () => number
  /** Also export memory, event loop, garbage collection and descriptors of this process. */
  readonly ownProcess?: boolean
  /** Also export inference under the names of the OpenTelemetry conventions. */
  readonly genAi?: boolean
}

/** Creates the metrics of a role; each call has its own registry, so two roles can share a process. */
export function createMetrics(role: 'miner', sources?: MetricsSources): MinerMetrics
export function createMetrics(role: 'validator', sources?: MetricsSources): ValidatorMetrics
export function createMetrics(role: 'hub', sources?: MetricsSources): HubMetrics
export function createMetrics(
  role: 'miner' | 'validator' | 'hub',
  sources: MetricsSources = { droppedLines: () => 0 },
): MinerMetrics | ValidatorMetrics | HubMetrics {
  const registry = new Registry()
  const make = maker(registry)
  if (sources.ownProcess) collectDefaultMetrics({ register: registry })
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
    registered: make.gauge(
      'targon_registered',
      '1 if the hotkey is registered on the subnet in the last metagraph, otherwise 0.',
    ),
    ...(sources.genAi ? { genAi: createGenAiMetrics(role, registry) } : {}),
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
  if (role === 'hub') return { ...neuron, ...hubMetrics(make) }
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

type ModelMetrics = Pick<ValidatorMetrics, 'modelVerdicts' | 'verificationDuration' | 'unchecked' | 'genAi'>

/** Models that are no longer wanted are remembered for verdicts that come late; the oldest are forgotten. */
const MAX_KNOWN_MODELS = 256

/**
 * Keeps the series of models to those that are wanted: their verdicts are exported from the start, because an alert sees no
 * increase of a missing series; those of models that are no longer wanted disappear.
 *
 * @returns what to call with the wanted models before every export, and when they have changed
 */
export function createModelSeries({ modelVerdicts, verificationDuration, unchecked, genAi }: ModelMetrics) {
  const known = new Set<string>()
  return (wanted: readonly string[]): void => {
    for (const model of wanted) {
      known.delete(model)
      known.add(model)
      for (const outcome of OUTCOMES) modelVerdicts.inc({ model, outcome }, 0)
    }
    for (const model of known) {
      if (wanted.includes(model)) continue
      for (const outcome of OUTCOMES) modelVerdicts.remove({ model, outcome })
      verificationDuration.remove({ model })
      unchecked.remove({ model })
      genAi?.forget(model)
    }
    for (const model of known) {
      if (known.size <= MAX_KNOWN_MODELS) break
      known.delete(model)
    }
  }
}

const OUTCOMES = ['verified', 'failed', 'inconclusive'] as const

/** Sets the metric of the reference engines; models that are no longer wanted disappear. */
export function noteEngines(
  { engineReady }: Pick<ValidatorMetrics, 'engineReady'>,
  states: readonly { readonly model: string; readonly isReady: boolean }[],
): void {
  engineReady.reset()
  for (const { model, isReady } of states) engineReady.set({ model }, isReady ? 1 : 0)
}

/** Sets the metrics of what scoring has cost, by model; they restart from 0 with an engine. */
export function noteScoring(
  { scoringCalls, scoredAnswers, scoredTokens }: ScoringMetrics,
  engines: readonly {
    readonly model: string
    readonly scoringWork?: () => { readonly calls: number; readonly answers: number; readonly tokens: number }
  }[],
): void {
  for (const counter of [scoringCalls, scoredAnswers, scoredTokens]) counter.reset()
  for (const { model, scoringWork } of engines) {
    const work = scoringWork?.()
    if (!work) continue
    scoringCalls.inc({ model }, work.calls)
    scoredAnswers.inc({ model }, work.answers)
    scoredTokens.inc({ model }, work.tokens)
  }
}

type ScoringMetrics = Pick<ValidatorMetrics, 'scoringCalls' | 'scoredAnswers' | 'scoredTokens'>
