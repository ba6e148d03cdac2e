import {
  alarmThreshold,
  type ComparedAnswer,
  DEFAULT_FLOORS,
  EvidenceBook,
  type MeasuredNoise,
  measureNoise,
  type Noise,
  noiseLevels,
  type Observation,
  observe,
  STATISTICS,
  type Standing,
  type Statistic,
} from '../../src/evidence/index.js'
import { assumedAnswersPerMonth } from '../../src/roles/validator/evidence/answer-rate.js'
import { defaultSettings } from '../roles/validator/validator-rig.js'

/** Answers and tokens after which something happened. */
export interface Reached {
  readonly answers: number
  readonly tokens: number
}

export interface Finding {
  readonly suspicion?: Reached
  /** The first alarm at the enforced level. */
  readonly alarm?: Reached & { readonly statistic: Statistic }
  readonly alarms: number
  readonly standing: Standing
}

/** The rules of a validator with default settings. */
export function defaultRules() {
  const settings = defaultSettings({})
  const answersPerMonth = assumedAnswersPerMonth(settings)
  const threshold = alarmThreshold(settings['evidence.false-alarm'], answersPerMonth)
  return { threshold, cleanAnswers: settings['evidence.clean-answers'] }
}

/** How far the answers are from the reference, in the terms of a calibration. */
export function noiseOf(answers: readonly ComparedAnswer[]): MeasuredNoise {
  const uncalibrated = noiseLevels(undefined, DEFAULT_FLOORS)
  return measureNoise(answers.map((answer) => observe(answer, uncalibrated, undefined)))
}

/** Weighs all answers of one miner, in order, by the given statistics. */
export function weigh(
  answers: readonly ComparedAnswer[],
  calibrated: Noise | undefined,
  only: readonly Statistic[] = STATISTICS,
): Finding {
  const levels = noiseLevels(calibrated, DEFAULT_FLOORS)
  const book = new EvidenceBook(defaultRules())
  let [tokens, alarms] = [0, 0]
  let suspicion: Reached | undefined
  let alarm: Finding['alarm']
  for (const [index, answer] of answers.entries()) {
    tokens += answer.tokenIds.length
    const reached = { answers: index + 1, tokens }
    const observation = observe(answer, levels, book.dialectOf('miner', 'model'))
    const change = book.record('miner', 'model', restrict(observation, only), index)
    if (change.after !== 'clean') suspicion ??= reached
    if (!change.alarm) continue
    alarms++
    alarm ??= { ...reached, statistic: change.alarm.statistic }
  }
  const standing = book.standing('miner', 'model')
  return { ...(suspicion && { suspicion }), ...(alarm && { alarm }), alarms, standing }
}

function restrict(observation: Observation, only: readonly Statistic[]): Observation {
  const kept = Object.entries(observation.statistics).filter(([name]) => only.some((one) => one === name))
  return { ...observation, statistics: Object.fromEntries(kept) }
}
