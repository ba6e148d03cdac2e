import type { Counter, Gauge, Histogram } from 'prom-client'
import { type Maker, SECONDS } from './metric-maker.js'

/** What only a validator counts. */
export interface OwnValidatorMetrics {
  readonly roundDuration: Histogram
  readonly verdicts: Counter<'cause'>
  /** Of wanted models only; createModelSeries keeps it so. */
  readonly modelVerdicts: Counter<'model' | 'outcome'>
  readonly inconclusive: Counter<'reason'>
  readonly unchecked: Counter<'model'>
  readonly scoringCalls: Counter<'model'>
  readonly scoredAnswers: Counter<'model'>
  readonly scoredTokens: Counter<'model'>
  readonly verificationDuration: Histogram<'model'>
  readonly tokensPerSecond: Histogram
  readonly weightsLastSetBlock: Gauge
  readonly weightsLastUpdateBlock: Gauge
  readonly epochBlocks: Gauge
  readonly permit: Gauge
  readonly weightsAttempts: Counter<'result'>
  readonly engineReady: Gauge<'model'>
  readonly evidenceAlarms: Counter<'statistic'>
  readonly evidencePairs: Gauge<'standing'>
  readonly evidenceThreshold: Gauge
}

const TOKENS_PER_SECOND = [1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 1000]

export function validatorMetrics(make: Maker): OwnValidatorMetrics {
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
    modelVerdicts: make.counter(
      'targon_validator_model_verdicts_total',
      'Verdicts by wanted model and outcome: verified, failed or inconclusive.',
      ['model', 'outcome'],
    ),
    inconclusive: make.counter(
      'targon_validator_inconclusive_total',
      'Inconclusive verdicts by reason; they are among the verdicts too.',
      ['reason'],
    ),
    verificationDuration: make.histogram(
      'targon_validator_verification_duration_seconds',
      'Time that the reference engine takes to verify an answer.',
      SECONDS,
      ['model'],
    ),
    tokensPerSecond: make.histogram(
      'targon_validator_tokens_per_second',
      'Speed of verified answers in tokens per second.',
      TOKENS_PER_SECOND,
    ),
    weightsLastSetBlock: make.gauge(
      'targon_weights_last_set_block',
      'Block at which weights were last confirmed on chain.',
    ),
    weightsLastUpdateBlock: make.gauge(
      'targon_weights_last_update_block',
      'Block at which the chain last took weights of this validator, as the metagraph shows it.',
    ),
    epochBlocks: make.gauge('targon_epoch_length_blocks', 'Blocks between weight updates.'),
    permit: make.gauge(
      'targon_validator_permit',
      '1 if the hotkey has a validator permit in the last metagraph, otherwise 0.',
    ),
    engineReady: make.gauge(
      'targon_validator_engine_ready',
      'Whether the reference engine of a wanted model accepts calls: 1 or 0.',
      ['model'],
    ),
    weightsAttempts: make.counter('targon_weights_attempts_total', 'Weight submissions by result.', [
      'result',
    ]),
    ...evidenceMetrics(make),
    ...scoringMetrics(make),
  }
}

function evidenceMetrics(make: Maker) {
  return {
    unchecked: make.counter(
      'targon_validator_unchecked_answers_total',
      'Complete answers of trusted miners that the engine did not check, by model.',
      ['model'],
    ),
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

function scoringMetrics(make: Maker) {
  return {
    scoringCalls: make.counter(
      'targon_validator_scoring_calls_total',
      'Scoring calls to the reference engine, by model; short answers share them.',
      ['model'],
    ),
    scoredAnswers: make.counter(
      'targon_validator_scored_answers_total',
      'Answers that the reference engine scored, by model.',
      ['model'],
    ),
    scoredTokens: make.counter(
      'targon_validator_scored_tokens_total',
      'Tokens of prompts and answers that the reference engine scored, by model.',
      ['model'],
    ),
  }
}
