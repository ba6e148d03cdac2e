import {
  EvidenceBook,
  type EvidenceRules,
  type NoiseLevels,
  type Observation,
  observe,
  type Statistic,
} from '../../../src/evidence/index.js'
import type { AnswerPlan, Simulator } from './simulator.js'

export interface RunOptions {
  readonly simulator: Simulator
  readonly levels: NoiseLevels
  readonly rules: EvidenceRules
  /** What the miner does at its n-th answer. */
  readonly plan: (index: number) => AnswerPlan
  readonly answers: number
  /** Weighs only these statistics. */
  readonly only?: readonly Statistic[]
}

export interface Outcome {
  /** Answers and tokens until the first alarm; undefined without one. */
  readonly alarm:
    | { readonly answers: number; readonly tokens: number; readonly statistic: Statistic }
    | undefined
  /** The same for the level of suspicion. */
  readonly suspicion: { readonly answers: number; readonly tokens: number } | undefined
  readonly book: EvidenceBook
}

/** One miner's answers to one model until the first alarm, or all of them. */
export function runEvidence({ simulator, levels, rules, plan, answers, only }: RunOptions): Outcome {
  const book = new EvidenceBook(rules)
  let tokens = 0
  let suspicion: Outcome['suspicion']
  for (let index = 0; index < answers; index++) {
    const answer = simulator.answer(plan(index))
    tokens += answer.tokenIds.length
    const observation = observe(answer, levels, book.dialectOf('miner', 'model'))
    const change = book.record('miner', 'model', only ? restrict(observation, only) : observation, index)
    if (change.after !== 'clean') suspicion ??= { answers: index + 1, tokens }
    if (change.alarm)
      return { book, suspicion, alarm: { answers: index + 1, tokens, statistic: change.alarm.statistic } }
  }
  return { book, suspicion, alarm: undefined }
}

function restrict(observation: Observation, only: readonly Statistic[]): Observation {
  const kept = Object.entries(observation.statistics).filter(([name]) =>
    only.some((statistic) => statistic === name),
  )
  return { ...observation, statistics: Object.fromEntries(kept) }
}
