import { expect, test } from 'vitest'
import type { Answer, OutputToken } from '../../../../src/inference/index.js'
import { createDeferred } from '../../../../src/kernel/deferred.js'
import {
  type RoundPorts,
  type RoundResult,
  startRound,
  type UncheckedAnswer,
} from '../../../../src/roles/validator/rounds/round.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { greedyAnswer, judgedAnswer } from '../evidence/evidence-parts.js'
import { answerOf, completionRequest, planOf, servingMiners } from './round-parts.js'

const never = new Promise<void>(() => {})

function setup(change: Partial<RoundPorts> & { judgeAt?: Promise<void>; miners?: number } = {}) {
  const { judgeAt = never, miners = 2, ...ports } = change
  const calls: string[] = []
  const results: RoundResult[] = []
  const unchecked: UncheckedAnswer[] = []
  const answers = Array.from({ length: miners }, () => createDeferred<Answer>())
  const stop = new AbortController()
  const begun = startRound(
    planOf(servingMiners(miners)),
    {
      ...{ round: 3, block: 100, judgeAt },
      onResult: (result) => results.push(result),
      onUnchecked: (one) => unchecked.push(one),
    },
    {
      clock: new ManualClock(),
      prompts: async () => () => completionRequest(),
      prepare: (_, { uid }) => {
        calls.push(`sign ${uid}`)
        return async () => {
          calls.push(`send ${uid}`)
          return (answers[uid - 1] ?? createDeferred<Answer>()).promise
        }
      },
      verify: async (_engine, _request, { text }) => {
        calls.push(`verify ${text}`)
        return { kind: 'verified' }
      },
      stallSince: () => 0,
      stallLimitMs: 50,
      ...ports,
    },
    stop.signal,
  )
  const answer = (uid: number, more: Partial<Answer> = {}) =>
    answers[uid - 1]?.resolve(answerOf({ text: String(uid), ...more }))
  return { begun, calls, results, unchecked, answer, stop: () => stop.abort() }
}

test('signs for all miners before querying any, and judges no answer before the last one is complete', async () => {
  const { begun, calls, answer } = setup({ miners: 20 })
  const round = await begun
  expect(calls.slice(0, 20).every((call) => call.startsWith('sign'))).toBe(true)
  expect(calls.slice(20)).toHaveLength(20)
  for (let uid = 1; uid < 20; uid++) answer(uid)
  await settle()
  expect(calls.filter((call) => call.startsWith('verify'))).toEqual([])
  answer(20)
  await round.done
  expect(calls.filter((call) => call.startsWith('verify'))).toHaveLength(20)
})

test('queries no miner after a stall while signing: honest miners would reject the stale signatures', async () => {
  const clock = new ManualClock()
  let stalledMs = 0
  const queried: number[] = []
  const { begun } = setup({
    clock: {
      now: () => clock.now() + stalledMs,
      monotonic: () => clock.monotonic() + stalledMs,
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
    prepare: (_, { uid }) => {
      stalledMs += 3_600_000
      return async () => {
        queried.push(uid)
        return answerOf()
      }
    },
  })
  await expect(begun).rejects.toThrow(/signatures expired/)
  expect(queried).toEqual([])
})

test('signs in advance while the prompts are made', async () => {
  const prompts = createDeferred<void>()
  const { begun, calls } = setup({
    miners: 20,
    prompts: async () => {
      await prompts.promise
      return () => completionRequest()
    },
    signAhead: ({ uid }) => calls.push(`ahead ${uid}`),
  })
  await settle()
  expect(calls).toHaveLength(20)
  prompts.resolve()
  await begun
  expect(calls.slice(0, 20).every((call) => call.startsWith('ahead'))).toBe(true)
})

test('judges the complete answers at the soft deadline and the slow ones as they complete', async () => {
  const soft = createDeferred<void>()
  const { begun, results, answer } = setup({ judgeAt: soft.promise })
  const round = await begun
  answer(1)
  soft.resolve()
  await settle()
  expect(results.map(({ miner }) => miner.uid)).toEqual([1])
  answer(2)
  await round.done
  expect(round.results.map(({ miner }) => miner.uid)).toEqual([1, 2])
})

test('voids the speed of an answer after a stall, as measured by the reader or else by the main loop', async () => {
  const stallSince = () => 51
  const { begun, results, answer } = setup({ stallSince, miners: 3 })
  const round = await begun
  answer(1, { stallMs: 50 })
  answer(2, { stallMs: 50.1 })
  answer(3)
  await round.done
  const verdicts = new Map(results.map(({ miner, verdict, stallMs }) => [miner.uid, { verdict, stallMs }]))
  expect(verdicts.get(1)).toEqual({ verdict: { kind: 'verified' }, stallMs: 50 })
  for (const uid of [2, 3])
    expect(verdicts.get(uid)?.verdict).toMatchObject({ kind: 'inconclusive', reason: 'stalled-loop' })
  expect(verdicts.get(3)?.stallMs).toBe(51)
})

test('a shutdown and a failing engine are inconclusive; a stream that is cut is a failure of the miner', async () => {
  const { begun, results, answer } = setup({
    miners: 3,
    verify: async () => {
      throw new Error('engine unavailable')
    },
  })
  const round = await begun
  answer(1, { fault: { cause: 'aborted', detail: 'stopping' } })
  answer(2)
  round.queries[2]?.stop({ kind: 'worthless', detail: 'too many at once' })
  answer(3, { fault: { cause: 'aborted', detail: 'cut' } })
  await round.done
  const verdicts = [...results].sort((a, b) => a.miner.uid - b.miner.uid).map(({ verdict }) => verdict)
  expect(verdicts).toMatchObject([
    { kind: 'inconclusive', reason: 'aborted' },
    { kind: 'inconclusive', reason: 'engine-unavailable', detail: 'engine unavailable' },
    { kind: 'failed', cause: 'TIMEOUT', detail: 'too many at once' },
  ])
})

test('weighs what was compared once per answer, also of one that was cut off, and takes the verdict of the review', async () => {
  const weighed: string[] = []
  const observation = { tokens: 200, synchrony: 'inapplicable', statistics: {} } as const
  const { begun, results, answer } = setup({
    verify: async (_engine, request, { fault }, _signal, onCompared) => {
      if (fault) return { kind: 'failed', cause: 'TIMEOUT', detail: '' }
      const compared = greedyAnswer('round', 0)
      onCompared?.(compared, judgedAnswer(compared, request))
      return { kind: 'verified' }
    },
    weigh: (_engine, hotkey) => {
      weighed.push(hotkey)
      return observation
    },
    review: ({ hotkey, verdict, observation: seen }) =>
      hotkey === '5Miner1' && seen === observation
        ? { kind: 'failed', cause: 'EVIDENCE', detail: '' }
        : verdict,
  })
  const round = await begun
  answer(1)
  const tokens = [1, 2, 3, 4].map((id) => ({ text: ' w', tokenId: id, logprob: -0.1 }))
  answer(2, { tokens, fault: { cause: 'TIMEOUT', detail: '', timed: 'deadline' } })
  await round.done
  expect(weighed.sort()).toEqual(['5Miner1', '5Miner2'])
  const verdicts = new Map(results.map(({ miner, verdict }) => [miner.hotkey, verdict]))
  expect(verdicts.get('5Miner1')).toMatchObject({ kind: 'failed', cause: 'EVIDENCE' })
  expect(verdicts.get('5Miner2')).toMatchObject({ kind: 'failed', cause: 'TIMEOUT' })
})

const tokens = (count: number, change: Partial<OutputToken> = {}): OutputToken[] =>
  Array.from({ length: count }, () => ({ text: ' w', tokenId: 7, logprob: -0.1, ...change }))

test.each<[string, Partial<Answer>]>([
  ['has too few tokens for a speed', { tokens: tokens(2) }],
  ['has more tokens than were requested', { tokens: tokens(21) }],
  ['has a token without an id', { tokens: tokens(5, { tokenId: undefined }) }],
  ['has an id outside the vocabulary', { tokens: tokens(5, { tokenId: 1e9 }) }],
  ['ended during a stall of this validator', { tokens: tokens(5), stallMs: 5000 }],
])('always judges an answer that %s', async (_, more) => {
  const { begun, results, unchecked, answer } = setup({ miners: 1, leavesUnchecked: () => true })
  const round = await begun
  answer(1, more)
  await round.done
  expect(unchecked).toEqual([])
  expect(results).toHaveLength(1)
})

test('leaves complete answers unchecked where the port says so, and judges every other one', async () => {
  const asked: string[] = []
  const { begun, calls, results, answer, unchecked } = setup({
    miners: 4,
    leavesUnchecked: (hotkey) => {
      asked.push(hotkey)
      return true
    },
  })
  const round = await begun
  answer(1, { tokensPerSecond: 33, tokens: tokens(5) })
  answer(2, { fault: { cause: 'TIMEOUT', detail: 'late' } })
  answer(3, { status: 503 })
  round.queries[3]?.stop({ kind: 'worthless', detail: 'slow' })
  answer(4, { fault: { cause: 'aborted', detail: 'cut' } })
  await round.done
  expect(asked).toEqual(['5Miner1'])
  expect(unchecked).toMatchObject([{ miner: { uid: 1 }, block: 100, tokensPerSecond: 33 }])
  expect(results.map(({ miner }) => miner.uid).sort()).toEqual([2, 3, 4])
  expect(calls).not.toContain('verify 1')
})
