import { EvidenceBook, type EvidenceRules, type NoiseLevels, observe } from '../../src/evidence/index.js'
import { createSimulator, type Simulator } from '../../test/support/evidence-simulation/index.js'
import type { HonestResult } from './results.js'
import { type HonestServer, temperatureOf } from './servers.js'

/** Answers of one miner, after which a miner without history begins. */
export const MINER_ANSWERS = 2_500
const PAIR = ['miner', 'model'] as const
const NO_WEALTH = { suspicion: 0, enforced: 0 }
/** Wealth is counted from 10^0 to 10^6, in steps of half a decade. */
const STEPS = 13

export interface HonestOptions {
  readonly levels: NoiseLevels
  readonly rules: EvidenceRules
  /** A budget so loose that a false alarm could be seen, and the answers of its month. */
  readonly loose: { readonly answersPerMonth: number }
  readonly seed: number
}

/** One honest server, simulated miner by miner: each has its own seed, so that a run can be continued after any whole miner. */
export class HonestRun {
  #simulator: Simulator
  #book: EvidenceBook
  #month: EvidenceBook
  #monthly = NO_WEALTH
  #isSuspected = false
  readonly #result: {
    -readonly [Key in keyof HonestResult]: HonestResult[Key]
  }

  constructor(
    private readonly honest: HonestServer,
    private readonly options: HonestOptions,
    done: HonestResult | undefined,
  ) {
    const miners = isWhole(done) ? done.miners : 0
    this.#simulator = this.#nextSimulator(miners)
    this.#book = new EvidenceBook(options.rules)
    this.#month = new EvidenceBook(options.rules)
    this.#result = isWhole(done)
      ? structuredClone(done)
      : {
          ...{ name: honest.name, answers: 0, tokens: 0, miners: 0, alarms: 0, suspicions: 0 },
          ...{ most: NO_WEALTH, months: { count: 0, suspicion: zeros(), enforced: zeros() } },
        }
  }

  get result(): HonestResult {
    return this.#result
  }

  advance(answers: number): void {
    for (let count = 0; count < answers; count++) this.#add(this.#result.answers)
  }

  #nextSimulator(miner: number): Simulator {
    return createSimulator(1000 * this.options.seed + miner)
  }

  #add(index: number): void {
    const { levels, rules, loose } = this.options
    const result = this.#result
    if (index % MINER_ANSWERS === 0) {
      this.#book = new EvidenceBook(rules)
      this.#isSuspected = false
      this.#simulator = this.#nextSimulator(result.miners)
      result.miners++
    }
    const tokens = 40 + ((index * 37) % 121)
    const plan = { server: this.honest.server, temperature: temperatureOf('mixed', index), tokens }
    const observation = observe(this.#simulator.answer(plan), levels, this.#book.dialectOf(...PAIR))
    const change = this.#book.record(...PAIR, observation, index)
    this.#month.record(...PAIR, observation, index)
    result.answers++
    result.tokens += tokens
    if (change.alarm) result.alarms++
    if (change.after !== 'clean' && !this.#isSuspected) result.suspicions++
    this.#isSuspected = change.after !== 'clean'
    result.most = larger(result.most, this.#book.standing(...PAIR))
    this.#monthly = larger(this.#monthly, this.#month.standing(...PAIR))
    if (result.answers % loose.answersPerMonth === 0) this.#endMonth()
  }

  #endMonth(): void {
    const { months } = this.#result
    months.count++
    for (let step = 0; step < STEPS; step++) {
      if (this.#monthly.suspicion >= step / 2) months.suspicion[step] = (months.suspicion[step] ?? 0) + 1
      if (this.#monthly.enforced >= step / 2) months.enforced[step] = (months.enforced[step] ?? 0) + 1
    }
    this.#month = new EvidenceBook(this.options.rules)
    this.#monthly = NO_WEALTH
  }
}

/** Whether every miner of a result is complete. */
function isWhole(result: HonestResult | undefined): result is HonestResult {
  return result !== undefined && result.answers === result.miners * MINER_ANSWERS
}

function zeros(): number[] {
  return new Array<number>(STEPS).fill(0)
}

type Wealth = typeof NO_WEALTH

function larger(a: Wealth, b: Wealth): Wealth {
  return {
    suspicion: Math.max(a.suspicion, b.suspicion),
    enforced: Math.max(a.enforced, b.enforced),
  }
}
