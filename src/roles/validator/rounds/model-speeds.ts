import { STRICT_BURST_RULE } from '../../../inference/index.js'
import { dropOldest } from '../../../kernel/index.js'
import type { RoundResult } from './round.js'

/** Fewer other miners could agree on a speed. */
const LEAST_MINERS = 3
const MAX_MINERS = 256
const MAX_MODELS = 64

/** What is known about the speed of a model's stream, in tokens per second. */
interface Measured {
  engine: number
  /** Newest speed by hotkey. */
  readonly miners: Map<string, number>
  /** The same speeds in ascending order; undefined after one changed. A round asks once per miner. */
  sorted: readonly number[] | undefined
}

/** How fast models stream, as the reference engine and the miners show: what no miner alone can change. */
export class ModelSpeeds {
  readonly #models = new Map<string, Measured>()

  noteEngine(model: string, tokensPerSecond: number | undefined): void {
    if (tokensPerSecond !== undefined) this.#measured(model).engine = tokensPerSecond
  }

  /** Only a verified answer that streamed for most of its time tells how fast the model streams. */
  noteResult({
    miner,
    request,
    answer,
    verdict,
  }: Pick<RoundResult, 'miner' | 'request' | 'answer' | 'verdict'>): void {
    const { timeForAllTokensMs, totalMs } = answer.timing
    const { exemptTokens, timeShare } = STRICT_BURST_RULE
    const count = answer.tokens.length
    if (verdict.kind !== 'verified' || count <= exemptTokens) return
    if (timeForAllTokensMs <= 0 || timeForAllTokensMs < (1 - timeShare) * totalMs) return
    const measured = this.#measured(request.model)
    const { miners } = measured
    measured.sorted = undefined
    miners.delete(miner.hotkey)
    miners.set(miner.hotkey, ((count - 1) * 1000) / timeForAllTokensMs)
    dropOldest(miners, MAX_MINERS)
  }

  /** The engine's speed or the median of the other miners, whichever is higher; 0 when neither is known. */
  of(model: string, hotkey: string): number {
    const measured = this.#models.get(model)
    if (!measured) return 0
    measured.sorted ??= [...measured.miners.values()].sort((a, b) => a - b)
    const { sorted } = measured
    const own = measured.miners.get(hotkey)
    const others = sorted.length - (own === undefined ? 0 : 1)
    const middle = Math.floor((others - 1) / 2)
    // Without its own speed, those from there on move down by one.
    const isBelow = own !== undefined && own <= (sorted[middle] ?? 0)
    const median = others < LEAST_MINERS ? 0 : (sorted[isBelow ? middle + 1 : middle] ?? 0)
    return Math.max(measured.engine, median)
  }

  #measured(model: string): Measured {
    const known = this.#models.get(model)
    if (known) return known
    const fresh: Measured = { engine: 0, miners: new Map(), sorted: undefined }
    this.#models.set(model, fresh)
    dropOldest(this.#models, MAX_MODELS)
    return fresh
  }
}
