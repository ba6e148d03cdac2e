import { type Result, type SatOutWorth, type ScoreBook, WINDOW } from '../../../scoring/index.js'
import type { Feed, Topic } from '../../role.js'
import {
  hasFailedContent,
  type NotServing,
  type RoundResult,
  type SatOut,
  type UncheckedAnswer,
} from '../rounds/index.js'
import type { ValidatorContext } from '../subnet/index.js'
import type { VerdictCounts } from './verdict-counts.js'

export interface ScoringParts {
  readonly book: ScoreBook
  readonly verdicts: VerdictCounts
  readonly events: {
    readonly result: Feed<RoundResult>
    readonly notServing: Feed<NotServing>
    readonly satOut: Feed<SatOut>
    readonly unchecked: Feed<UncheckedAnswer>
    /** The rounds that a miner sat out, or whose answers were not checked, became part of its window. */
    readonly settled: Topic<Settled>
    /** A miner that did not list a model got a miss for it, which changed its window. */
    readonly missed: Topic<NotServing>
  }
}

/** What rounds without a verdict of their own added to a window, once the verdict on a later answer told their worth. */
export interface Settled {
  readonly why: 'sat-out' | 'unchecked'
  readonly result: RoundResult
  readonly added: readonly Result[]
}

/** Feeds the results of rounds into score book, verdict counts, metrics and log. */
export function scoreResults(context: ValidatorContext, parts: ScoringParts): void {
  const { book, events } = parts
  events.result.subscribe((result) => scoreResult(context, parts, result))
  events.notServing.subscribe((event) => {
    if (scoreMiss(context, book, event)) events.missed.publish(event)
  })
  events.satOut.subscribe(({ miner, model, block, tokensPerSecond }) => {
    book.sitOut(miner.hotkey, model, tokensPerSecond, block)
    context.log.debug(
      { event: 'round-sat-out', uid: miner.uid, hotkey: miner.hotkey, model, tokensPerSecond },
      'a miner sat a round out because its last answer still streams',
    )
  })
  events.unchecked.subscribe(({ miner, model, block, tokensPerSecond }) => {
    book.leaveUnchecked(miner.hotkey, model, tokensPerSecond, block)
    context.metrics.unchecked.inc({ model })
  })
}

/**
 * What the rounds are worth that the miner sat out during this answer: its speed when it is verified, and misses when it
 * fails. When only its slowness failed it, or the fault is ours, they keep the speed they had.
 */
function worthOf({ verdict, soFar, answer }: RoundResult): SatOutWorth {
  if (verdict.kind === 'inconclusive') return 'speed so far'
  if (verdict.kind === 'verified') return verdict.hasNoSpeed ? 'speed so far' : answer.tokensPerSecond
  return soFar && soFar.kind !== 'failed' ? 'speed so far' : null
}

/**
 * What an answer says of those before it that were not checked: its speed when it is verified, a miss when its tokens fail. A
 * fault of the connection, or of this validator, says nothing about them.
 */
function checkedWorthOf(result: RoundResult): Result | undefined {
  if (hasFailedContent(result)) return null
  const { verdict, answer } = result
  return verdict.kind === 'verified' ? (verdict.hasNoSpeed ? 0 : answer.tokensPerSecond) : undefined
}

/** An inconclusive verdict changes no score, nor does a verified answer that is too short to measure a speed. */
function scoreResult({ log, metrics }: ValidatorContext, parts: ScoringParts, result: RoundResult): void {
  const { book, verdicts, events } = parts
  const { miner, request, answer, verdict, block, stallMs } = result
  const { uid, hotkey } = miner
  const { tokensPerSecond } = answer
  const publish = (why: Settled['why'], added: readonly Result[]) => {
    if (added.length > 0) events.settled.publish({ why, result, added })
  }
  publish('sat-out', book.settleSatOut(hotkey, request.model, worthOf(result)))
  const worth = checkedWorthOf(result)
  if (worth !== undefined) publish('unchecked', book.settleUnchecked(hotkey, request.model, worth))
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
  // thousands of answers an hour are verified
  log[verdict.kind === 'verified' ? 'debug' : 'info']({ event: 'verdict', ...facts }, 'judged an answer')
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
