import { type ScoreBook, WINDOW } from '../../../scoring/index.js'
import type { Feed, Topic } from '../../role.js'
import type { NotServing, RoundResult } from '../rounds/index.js'
import type { ValidatorContext } from '../subnet/index.js'
import type { VerdictCounts } from './verdict-counts.js'

export interface ScoringParts {
  readonly book: ScoreBook
  readonly verdicts: VerdictCounts
  readonly events: {
    readonly result: Feed<RoundResult>
    readonly notServing: Feed<NotServing>
    /** A miner that did not list a model got a miss for it, which changed its window. */
    readonly missed: Topic<NotServing>
  }
}

/** Feeds the results of rounds into score book, verdict counts, metrics and log. */
export function scoreResults(context: ValidatorContext, parts: ScoringParts): void {
  const { book, events } = parts
  events.result.subscribe((result) => scoreResult(context, parts, result))
  events.notServing.subscribe((event) => {
    if (scoreMiss(context, book, event)) events.missed.publish(event)
  })
}

/** An inconclusive verdict changes no score, nor does a verified answer that is too short to measure a speed. */
function scoreResult(
  { log, metrics }: ValidatorContext,
  { book, verdicts }: ScoringParts,
  { miner, request, answer, verdict, block, stallMs }: RoundResult,
): void {
  const { uid, hotkey } = miner
  const { tokensPerSecond } = answer
  if (verdict.kind === 'verified') {
    if (!verdict.hasNoSpeed) {
      book.record(hotkey, request.model, tokensPerSecond, block)
      metrics.tokensPerSecond.observe(tokensPerSecond)
    }
  } else if (verdict.kind === 'failed') book.record(hotkey, request.model, null, block)
  verdicts.record(hotkey, verdict, request.model, tokensPerSecond)
  const cause =
    verdict.kind === 'failed' ? verdict.cause : verdict.kind === 'inconclusive' ? verdict.reason : undefined
  metrics.verdicts.inc({ cause: cause ?? 'verified' })
  const facts = { uid, hotkey, model: request.model, verdict: verdict.kind, cause, tokensPerSecond }
  log.info({ event: 'verdict', ...facts }, 'judged an answer')
  if (verdict.kind !== 'verified')
    log.debug(
      { event: 'verdict-detail', ...facts, detail: verdict.detail, stallMs },
      'the answer was not verified',
    )
}

/**
 * A miner drawn for a model it does not list gets a miss for it, as in 4.4.1. One that lists no model at all may only be
 * starting or down: it gets the miss if it served the model before.
 *
 * @returns whether its window changed; a full window of misses does not.
 */
function scoreMiss(
  { view }: ValidatorContext,
  book: ScoreBook,
  { miner: { hotkey }, model, block }: NotServing,
): boolean {
  const servesOthers = (view.servedBy(hotkey) ?? []).length > 0
  const window = book.results(hotkey, model)
  if (!servesOthers && window.length === 0) return false
  book.record(hotkey, model, null, block)
  return window.length < WINDOW || window.some((result) => result !== null)
}
