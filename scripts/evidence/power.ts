import {
  EvidenceBook,
  type EvidenceBookData,
  type EvidenceRules,
  type NoiseLevels,
  observe,
} from '../../src/evidence/index.js'
import { createSimulator } from '../../test/support/evidence-simulation/index.js'
import type { EvidenceResults, PowerResult } from './results.js'
import { type Cheat, HONEST_SERVERS, planOf, temperatureOf } from './servers.js'

/** Tokens of an answer. */
export const ANSWER_TOKENS = 200
const PAIR = ['miner', 'model'] as const

export interface PowerOptions {
  readonly levels: NoiseLevels
  readonly rules: EvidenceRules
  readonly runs: number
  /** Tokens after which a run gives up. */
  readonly limit: number
}

interface Reached {
  readonly tokens: number
  readonly answers: number
}

/** How many tokens the evidence needs to suspect a miner and to accuse it. */
export function measurePower(cheat: Cheat, options: PowerOptions): PowerResult {
  const { levels, rules, runs, limit } = options
  const before = cheat.honestBefore === undefined ? undefined : honestHistory(cheat.honestBefore, options)
  const [suspicions, alarms]: [Reached[], Reached[]] = [[], []]
  const causes: Record<string, number> = {}
  for (let run = 0; run < runs; run++) {
    const simulator = createSimulator(1000 + run)
    const plan = planOf(cheat, ANSWER_TOKENS)
    const book = before ? EvidenceBook.from(before, rules) : new EvidenceBook(rules)
    let isSuspected = false
    for (let answers = 1; answers * ANSWER_TOKENS <= limit; answers++) {
      const answer = simulator.answer(plan(answers - 1 + run))
      const change = book.record(...PAIR, observe(answer, levels, book.dialectOf(...PAIR)), answers)
      const reached = { answers, tokens: answers * ANSWER_TOKENS }
      if (change.after !== 'clean' && !isSuspected) {
        suspicions.push(reached)
        isSuspected = true
      }
      if (!change.alarm) continue
      alarms.push(reached)
      causes[change.alarm.statistic] = (causes[change.alarm.statistic] ?? 0) + 1
      break
    }
  }
  const goal = cheat.goal === undefined ? {} : { goal: cheat.goal }
  const [suspicion, alarm] = [summarize(suspicions, runs), summarize(alarms, runs)]
  return { name: cheat.name, runs, limit, ...goal, suspicion, alarm, causes }
}

/** Runs that did not get there count as longer than all others. */
function summarize(reached: readonly Reached[], runs: number): PowerResult['alarm'] {
  const sorted = [...reached].sort((a, b) => a.tokens - b.tokens)
  const at = (share: number) => sorted[Math.ceil(share * runs) - 1]
  return {
    ...{ runs: reached.length, median: at(0.5)?.tokens ?? null, p90: at(0.9)?.tokens ?? null },
    answers: at(0.5)?.answers ?? null,
  }
}

/** The book of a miner that gave this many honest answers. */
function honestHistory(answers: number, { levels, rules }: PowerOptions): EvidenceBookData {
  const simulator = createSimulator(7)
  const book = new EvidenceBook(rules)
  const [honest] = HONEST_SERVERS
  if (!honest) throw new Error('There is no honest server to begin with.')
  for (let index = 0; index < answers; index++) {
    const plan = { server: honest.server, temperature: temperatureOf('mixed', index), tokens: 40 }
    book.record(...PAIR, observe(simulator.answer(plan), levels, book.dialectOf(...PAIR)), index)
  }
  return book.toData()
}

/** The wealth of one miner over its first answers. */
export function drawCurve(
  cheat: Cheat,
  { levels, rules, limit }: PowerOptions,
): EvidenceResults['curves'][number] {
  const simulator = createSimulator(11)
  const book = new EvidenceBook(rules)
  const plan = planOf(cheat, ANSWER_TOKENS)
  const points: [number, number, number][] = [[0, 0, 0]]
  for (let answers = 1; answers * ANSWER_TOKENS <= limit; answers++) {
    const answer = simulator.answer(plan(answers - 1))
    const change = book.record(...PAIR, observe(answer, levels, book.dialectOf(...PAIR)), answers)
    const { suspicion, enforced } = book.standing(...PAIR)
    const wealth = change.alarm ? [change.alarm.wealth, change.alarm.wealth] : [suspicion, enforced]
    points.push([answers * ANSWER_TOKENS, round(wealth[0]), round(wealth[1])])
    if (change.alarm) break
  }
  return { name: cheat.name, points }
}

function round(value = 0): number {
  return Math.round(value * 100) / 100
}
