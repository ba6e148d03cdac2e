import { expect, test } from 'vitest'
import type { Answer } from '../../../../src/inference/index.js'
import { createDeferred } from '../../../../src/kernel/deferred.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/result.js'
import { type RoundPorts, startRound } from '../../../../src/roles/validator/rounds/round.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { answerOf, completionRequest, planOf, servingMiners } from './round-parts.js'

const never = new Promise<void>(() => {})

function setup(change: Partial<RoundPorts> & { judgeAt?: Promise<void>; miners?: number } = {}) {
  const { judgeAt = never, miners = 2, ...ports } = change
  const calls: string[] = []
  const results: RoundResult[] = []
  const answers = Array.from({ length: miners }, () => createDeferred<Answer>())
  const stop = new AbortController()
  const begun = startRound(
    planOf(servingMiners(miners)),
    3,
    100,
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
      onResult: (result) => results.push(result),
      ...ports,
    },
    judgeAt,
    stop.signal,
  )
  const answer = (uid: number, more: Partial<Answer> = {}) =>
    answers[uid - 1]?.resolve(answerOf({ text: String(uid), ...more }))
  return { begun, calls, results, answer, stop: () => stop.abort() }
}

test('everybody is signed for before anybody is asked, and nobody is judged before the last answer is in', async () => {
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

test('a process that stood still while it signed asks nobody: honest miners would refuse stale signatures', async () => {
  const clock = new ManualClock()
  let stoodStillMs = 0
  const asked: number[] = []
  const { begun } = setup({
    clock: {
      now: () => clock.now() + stoodStillMs,
      monotonic: () => clock.monotonic() + stoodStillMs,
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
    prepare: (_, { uid }) => {
      stoodStillMs += 3_600_000
      return async () => {
        asked.push(uid)
        return answerOf()
      }
    },
  })
  await expect(begun).rejects.toThrow(/signatures are too old/)
  expect(asked).toEqual([])
})

test('what needs no request is signed ahead while the prompts are made', async () => {
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

test('at its soft deadline a round is judged without the slow ones, which are judged when they come', async () => {
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

test('a result is void when a loop stood still meanwhile: the reader’s own stall counts, else that of the main loop', async () => {
  const stallSince = () => 51
  const { begun, results, calls, answer } = setup({ stallSince, miners: 3 })
  const round = await begun
  answer(1, { stallMs: 50 })
  answer(2, { stallMs: 50.1 })
  answer(3)
  await round.done
  expect(calls.filter((call) => call.startsWith('verify'))).toEqual(['verify 1'])
  const verdicts = new Map(results.map(({ miner, verdict, stallMs }) => [miner.uid, { verdict, stallMs }]))
  expect(verdicts.get(1)).toEqual({ verdict: { kind: 'verified' }, stallMs: 50 })
  for (const uid of [2, 3])
    expect(verdicts.get(uid)?.verdict).toMatchObject({ kind: 'inconclusive', reason: 'stalled-loop' })
  expect(verdicts.get(3)?.stallMs).toBe(51)
})

test('a stop, and an engine that fails, are nobody’s fault; a stream that is cut is the miner’s', async () => {
  const { begun, results, answer } = setup({
    miners: 3,
    verify: async () => {
      throw new Error('engine gone')
    },
  })
  const round = await begun
  answer(1, { fault: { cause: 'aborted', detail: 'stopping' } })
  answer(2)
  round.asks[2]?.cut('too many at once')
  answer(3, { fault: { cause: 'aborted', detail: 'cut' } })
  await round.done
  const verdicts = [...results].sort((a, b) => a.miner.uid - b.miner.uid).map(({ verdict }) => verdict)
  expect(verdicts).toMatchObject([
    { kind: 'inconclusive', reason: 'aborted' },
    { kind: 'inconclusive', reason: 'engine-unavailable', detail: 'engine gone' },
    { kind: 'failed', cause: 'TIMEOUT', detail: 'too many at once' },
  ])
})
