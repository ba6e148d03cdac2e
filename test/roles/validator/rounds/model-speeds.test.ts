import { describe, expect, it } from 'vitest'
import type { OutputToken } from '../../../../src/inference/index.js'
import { ModelSpeeds } from '../../../../src/roles/validator/rounds/model-speeds.js'
import type { Verdict } from '../../../../src/verification/index.js'
import { MODEL } from '../validator-rig.js'
import { answerOf, completionRequest, servingMiner } from './round-parts.js'

const VERIFIED: Verdict = { kind: 'verified' }
const token: OutputToken = { text: 'x', tokenId: 1, logprob: -1 }

/** 101 tokens at this speed, after a wait. */
function resultOf(
  uid: number,
  tokensPerSecond: number,
  change: { verdict?: Verdict; waitMs?: number; count?: number } = {},
) {
  const { verdict = VERIFIED, waitMs = 50, count = 101 } = change
  const restMs = ((count - 1) * 1000) / tokensPerSecond
  const timing = { timeToFirstTokenMs: waitMs, timeForAllTokensMs: restMs, totalMs: waitMs + restMs }
  const answer = answerOf({ tokens: new Array<OutputToken>(count).fill(token), timing })
  return { miner: servingMiner(uid), request: completionRequest(), answer, verdict }
}

const speedFor = (speeds: ModelSpeeds, uid: number) => speeds.of(MODEL, servingMiner(uid).hotkey)

describe('ModelSpeeds', () => {
  it('is the median of the other miners, once there are three', () => {
    const speeds = new ModelSpeeds()
    speeds.noteResult(resultOf(1, 900))
    speeds.noteResult(resultOf(2, 1_100))
    speeds.noteResult(resultOf(3, 50_000, { waitMs: 0 }))
    expect(speedFor(speeds, 1)).toBe(0)
    expect(speedFor(speeds, 4)).toBeCloseTo(1_100)
    speeds.noteResult(resultOf(4, 1_000))
    expect(speedFor(speeds, 3)).toBeCloseTo(1_000)
    expect(speeds.of('other/model', servingMiner(9).hotkey)).toBe(0)
  })

  it('leaves out the speed of the miner itself, wherever it stands', () => {
    const speeds = new ModelSpeeds()
    for (const [uid, speed] of [300, 100, 200, 200, 400].entries()) speeds.noteResult(resultOf(uid, speed))
    const medians = [0, 1, 2, 3, 4, 9].map((uid) => Math.round(speedFor(speeds, uid)))
    expect(medians).toEqual([200, 200, 200, 200, 200, 200])
    speeds.noteResult(resultOf(2, 350))
    expect([0, 1, 2, 3, 4, 9].map((uid) => Math.round(speedFor(speeds, uid)))).toEqual([
      200, 300, 200, 300, 200, 300,
    ])
  })

  it('is never raised by one miner, whatever it streams', () => {
    const speeds = new ModelSpeeds()
    for (const uid of [1, 2, 3]) speeds.noteResult(resultOf(uid, 40))
    for (let answer = 0; answer < 50; answer++) speeds.noteResult(resultOf(4, 100_000, { waitMs: 0 }))
    expect(speedFor(speeds, 4)).toBeCloseTo(40)
    expect(speedFor(speeds, 5)).toBeCloseTo(40)
  })

  it('ignores failed answers, short ones, and those that mostly waited', () => {
    const speeds = new ModelSpeeds()
    const failed: Verdict = { kind: 'failed', cause: 'BAD_STREAM', detail: '' }
    for (const uid of [1, 2, 3]) {
      speeds.noteResult(resultOf(uid, 5_000, { verdict: failed }))
      speeds.noteResult(resultOf(uid, 5_000, { count: 60 }))
      speeds.noteResult(resultOf(uid, 5_000, { waitMs: 1_000 }))
    }
    expect(speedFor(speeds, 9)).toBe(0)
  })

  it('is at least the speed of the reference engine', () => {
    const speeds = new ModelSpeeds()
    speeds.noteEngine(MODEL, 700)
    speeds.noteEngine(MODEL, undefined)
    expect(speedFor(speeds, 1)).toBe(700)
    for (const uid of [1, 2, 3]) speeds.noteResult(resultOf(uid, 40))
    expect(speedFor(speeds, 4)).toBe(700)
  })
})
