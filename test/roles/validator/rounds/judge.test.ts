import { describe, expect, test } from 'vitest'
import { type Answer, NON_STREAMED, type StreamFault } from '../../../../src/inference/index.js'
import { judgeStream, type StreamStop } from '../../../../src/roles/validator/rounds/judge.js'
import type { Verdict } from '../../../../src/verification/index.js'
import { createRigEngine } from '../validator-rig.js'
import { answerOf, completionRequest } from './round-parts.js'

const VERIFIED: Verdict = { kind: 'verified' }
const SHORT: Verdict = { kind: 'verified', hasNoSpeed: true }
const UNLIKELY: Verdict = { kind: 'failed', cause: 'UNLIKELY_TOKENS', detail: '' }
const DOWN: Verdict = { kind: 'inconclusive', reason: 'engine-unavailable', detail: '' }

interface Seen {
  readonly fault: StreamFault | undefined
  readonly maxTokens: number
  readonly finishReason: string | undefined
}

/** As checkStream does: a fault of the stream is the verdict, otherwise the tokens decide. */
async function judge(change: Partial<Answer>, tokens = VERIFIED, stallMs = 0, stop?: StreamStop) {
  const seen: Seen[] = []
  const engine = createRigEngine()
  const judgement = await judgeStream(
    { engine, request: completionRequest(20), answer: answerOf(change), stallMs },
    stop,
    {
      verify: async (_engine, { maxTokens }, { fault, finishReason }) => {
        seen.push({ fault, maxTokens, finishReason })
        if (!fault || fault.cause === 'aborted') return tokens
        return { kind: 'failed', cause: fault.cause, detail: fault.detail }
      },
      stallLimitMs: 50,
    },
    new AbortController().signal,
  )
  return { ...judgement, seen }
}

const tokens = Array.from({ length: 8 }, (_, id) => ({ text: ` w${id}`, tokenId: id, logprob: -0.1 }))
const slowTiming = { timeToFirstTokenMs: 100, timeForAllTokensMs: 9900, totalMs: 10_000 }
const stalled = { kind: 'inconclusive', reason: 'stalled-loop' }

describe('when the event loop stalled as the answer ended', () => {
  test.each<[string, Partial<Answer>, Verdict, object]>([
    ['a verified answer has no speed', {}, VERIFIED, stalled],
    ['one that is too short to have any stays verified', {}, SHORT, SHORT],
    ['unlikely tokens are unlikely', {}, UNLIKELY, UNLIKELY],
    [
      'a redirect is a redirect',
      { fault: { cause: 'REDIRECT', detail: 'answered 307' } },
      VERIFIED,
      { cause: 'REDIRECT' },
    ],
    [
      'a broken limit is broken',
      { fault: { cause: 'STREAM_LIMIT', detail: '' } },
      VERIFIED,
      { cause: 'STREAM_LIMIT' },
    ],
    ['an engine that is down is our fault', {}, DOWN, DOWN],
    [
      'a deadline may be our fault',
      { fault: { cause: 'TIMEOUT', detail: '', timed: 'deadline' } },
      UNLIKELY,
      stalled,
    ],
    [
      'a burst may be our fault',
      { fault: { cause: 'BAD_STREAM', detail: NON_STREAMED, timed: 'burst' } },
      VERIFIED,
      stalled,
    ],
    [
      '… but not that its tokens are unlikely',
      { fault: { cause: 'BAD_STREAM', detail: NON_STREAMED, timed: 'burst' } },
      UNLIKELY,
      UNLIKELY,
    ],
  ])('%s', async (_, change, verdict, expected) => {
    expect((await judge(change, verdict, 51)).verdict).toMatchObject(expected)
  })

  test('a stall within the limit, or short beside the answer, changes nothing', async () => {
    expect((await judge({}, VERIFIED, 50)).verdict).toEqual(VERIFIED)
    expect((await judge({ timing: slowTiming }, VERIFIED, 100)).verdict).toEqual(VERIFIED)
    expect((await judge({ timing: slowTiming }, VERIFIED, 101)).verdict).toMatchObject(stalled)
  })
})

describe('an answer that was cut off while it streamed', () => {
  const aborted: Partial<Answer> = {
    fault: { cause: 'aborted', detail: 'cut' },
    tokens,
    finishReason: undefined,
  }
  const worthless: StreamStop = { kind: 'worthless', detail: '0.23 tokens/s' }
  const noRoom: StreamStop = { kind: 'no-room', detail: 'too many' }

  test('at the hard cap fails, and its tokens are judged as if no more had been requested', async () => {
    const fault = { cause: 'TIMEOUT', detail: 'not finished', timed: 'deadline' } as const
    const { verdict, soFar, seen } = await judge({ fault, tokens })
    expect(verdict).toMatchObject({ kind: 'failed', cause: 'TIMEOUT' })
    expect(soFar).toEqual(VERIFIED)
    expect(seen.at(-1)).toEqual({ fault: undefined, maxTokens: 8, finishReason: 'length' })
    expect((await judge({ fault, tokens }, UNLIKELY)).soFar).toEqual(UNLIKELY)
    expect(await judge({ fault, tokens: tokens.slice(0, 2) })).not.toHaveProperty('soFar')
    const gap = { cause: 'BAD_STREAM', detail: 'no byte for 5000 ms', timed: 'deadline' } as const
    expect((await judge({ fault: gap, tokens })).soFar).toEqual(VERIFIED)
  })

  test('because it was worth nothing fails; for want of room it fails only by its tokens', async () => {
    expect(await judge(aborted, VERIFIED, 0, worthless)).toMatchObject({
      verdict: { kind: 'failed', cause: 'TIMEOUT', detail: '0.23 tokens/s' },
      soFar: VERIFIED,
    })
    expect(await judge(aborted, VERIFIED, 0, noRoom)).toMatchObject({
      verdict: { kind: 'inconclusive', reason: 'no-room', detail: 'too many' },
      soFar: VERIFIED,
    })
    expect((await judge(aborted, UNLIKELY, 0, noRoom)).verdict).toEqual(UNLIKELY)
    expect((await judge(aborted, DOWN, 0, noRoom)).verdict).toMatchObject({ reason: 'no-room' })
  })

  test('is judged like any other when it was complete before the cut reached it', async () => {
    const { verdict, seen } = await judge({ tokens }, VERIFIED, 0, worthless)
    expect(verdict).toEqual(VERIFIED)
    expect(seen).toEqual([{ fault: undefined, maxTokens: 20, finishReason: 'length' }])
  })
})
