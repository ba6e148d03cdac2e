import { describe, expect, it } from 'vitest'
import { createTopic } from '../../../../src/roles/role.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/index.js'
import {
  createVerdictCounts,
  scoreResults,
  watchEarlyEnds,
} from '../../../../src/roles/validator/scores/index.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import type { Verdict } from '../../../../src/verification/index.js'
import {
  answerOf,
  completionRequest,
  createRoundEvents,
  servingMiner,
  viewOf,
} from '../rounds/round-parts.js'
import { createRigContext, MODEL } from '../validator-rig.js'

const chosen: Verdict = { kind: 'verified', hasNoSpeed: true, endOdds: 50 }
const whole: Verdict = { kind: 'verified' }

describe('watchEarlyEnds', () => {
  it('fails early ends once they are multiplied, for this miner and model alone', () => {
    const review = watchEarlyEnds()
    const verdicts = Array.from({ length: 12 }, () => review('cheat', MODEL, chosen))
    expect(verdicts[0]).toBe(chosen)
    expect(verdicts.at(-1)).toMatchObject({ kind: 'failed', cause: 'EARLY_END' })
    expect(review('cheat', 'other/model', chosen)).toBe(chosen)
    expect(review('honest', MODEL, chosen)).toBe(chosen)
  })

  it('never fails an answer that ended as the model does, nor changes another verdict', () => {
    const review = watchEarlyEnds()
    for (let answer = 0; answer < 12; answer++) review('cheat', MODEL, chosen)
    expect(review('cheat', MODEL, whole)).toBe(whole)
    const failed: Verdict = { kind: 'failed', cause: 'TIMEOUT', detail: '' }
    expect(review('cheat', MODEL, failed)).toBe(failed)
  })

  it('forgets what whole answers outweigh', () => {
    const review = watchEarlyEnds()
    for (let answer = 0; answer < 500; answer++) {
      expect(review('honest', MODEL, answer % 40 === 0 ? chosen : whole).kind).toBe('verified')
    }
  })
})

describe('scoreResults', () => {
  const setup = () => {
    const book = new ScoreBook()
    const verdicts = createVerdictCounts()
    const result = createTopic<RoundResult>()
    const context = createRigContext({ view: viewOf([]) })
    const events = { ...createRoundEvents(), result, missed: createTopic(), satOutSettled: createTopic() }
    const parts = { book, verdicts, events } as unknown as Parameters<typeof scoreResults>[1]
    scoreResults(context as unknown as Parameters<typeof scoreResults>[0], parts)
    const publish = (verdict: Verdict) =>
      result.publish({
        ...{ round: 1, block: 100, at: 0, miner: servingMiner(1), request: completionRequest() },
        ...{ answer: answerOf({ tokensPerSecond: 40 }), stallMs: 0, verdict },
      })
    const { hotkey } = servingMiner(1)
    return { publish, window: () => book.results(hotkey, MODEL), counts: () => verdicts.of(hotkey) }
  }

  it('puts no speed of a verified answer into the window that is too short to measure one', () => {
    const { publish, window, counts } = setup()
    publish(whole)
    publish({ kind: 'verified', hasNoSpeed: true })
    expect(window()).toEqual([40])
    expect(counts().verified).toBe(2)
  })
})
