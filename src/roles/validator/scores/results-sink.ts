import type { Log } from '../../../kernel/index.js'
import { type ScoreBook, WINDOW } from '../../../scoring/index.js'
import type { ValidatorMetrics } from '../../../telemetry/index.js'
import type { RoundResult } from '../rounds/index.js'
import type { Serving, SubnetView } from '../subnet/index.js'
import type { Standings } from './standings.js'

export interface ResultsSinkOptions {
  readonly book: ScoreBook
  readonly standings: Standings
  readonly metrics: ValidatorMetrics
  readonly log: Log
}

/** Where every result goes first: score book, standings, metrics, log. Inconclusive changes nobody's score. */
export function createResultsSink({ book, standings, metrics, log }: ResultsSinkOptions) {
  return ({ miner, request, answer, verdict, block, stallMs }: RoundResult): void => {
    const { uid, hotkey } = miner
    const { tokensPerSecond } = answer
    if (verdict.kind === 'verified') {
      book.record(hotkey, request.model, tokensPerSecond, block)
      metrics.tokensPerSecond.observe(tokensPerSecond)
    } else if (verdict.kind === 'failed') book.record(hotkey, request.model, null, block)
    standings.note(hotkey, verdict, request.model, tokensPerSecond)
    const cause =
      verdict.kind === 'failed' ? verdict.cause : verdict.kind === 'inconclusive' ? verdict.reason : undefined
    metrics.verdicts.inc({ cause: cause ?? 'verified' })
    const facts = { uid, hotkey, model: request.model, verdict: verdict.kind, cause, tokensPerSecond }
    log.info({ event: 'verdict', ...facts }, 'judged an answer')
    if (verdict.kind !== 'verified')
      log.debug(
        { event: 'verdict-detail', ...facts, detail: verdict.detail, stallMs },
        'details of the verdict',
      )
  }
}

/**
 * A miner that was asked and does not list a model gets a miss for it, as in 4.4.1. One that lists nothing at all is only
 * starting, or down: it gets the miss when it served the model before.
 *
 * @returns whether its window changed: one that holds nothing but misses already does not.
 */
export function noteNotServing(
  view: SubnetView,
  book: ScoreBook,
  { hotkey }: Serving,
  model: string,
  block: number,
): boolean {
  const servesOther = (view.servedBy(hotkey) ?? []).length > 0
  const window = book.results(hotkey, model)
  if (!servesOther && window.length === 0) return false
  book.record(hotkey, model, null, block)
  return window.length < WINDOW || window.some((result) => result !== null)
}
