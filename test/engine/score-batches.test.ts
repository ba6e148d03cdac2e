import { describe, expect, it } from 'vitest'
import { engineError } from '../../src/engine/engine-error.js'
import { type BatchParts, ScoreBatches } from '../../src/engine/score-batches.js'
import type { Reference, ScoreRequest } from '../../src/engine/types.js'
import { createDeferred } from '../../src/kernel/deferred.js'
import { settle } from '../support/manual-clock.js'

const PARALLEL = 2

/** An answer of so many tokens, told apart by its first one. */
const answer = (id: number, tokens = 10, topK = 20): ScoreRequest => ({
  ...{ input: [id], output: new Array<number>(tokens - 1).fill(7) },
  ...{ temperature: 1, topK },
})
const idOf = ({ input }: ScoreRequest) => input[0] ?? 0
const referenceOf = (request: ScoreRequest): Reference => ({
  positions: [new Map([[idOf(request), { logprob: -1, rank: 1 }]])],
  next: new Map(),
})

/** Calls end when the test says so. */
function setup(change: Partial<BatchParts> = {}) {
  const calls: {
    readonly ids: readonly number[]
    readonly signal: AbortSignal
    end(error?: unknown): Promise<void>
  }[] = []
  const batches = new ScoreBatches({
    maxCalls: PARALLEL,
    keyOf: ({ topK }) => String(topK),
    send: (requests, signal) => {
      const done = createDeferred<readonly Reference[]>()
      calls.push({
        ids: requests.map(idOf),
        signal,
        end: async (error) => {
          if (error === undefined) done.resolve(requests.map(referenceOf))
          else done.reject(error)
          await settle()
        },
      })
      return done.promise
    },
    ...change,
  })
  const { signal } = new AbortController()
  const score = (requests: readonly ScoreRequest[]) =>
    requests.map(async (request) => {
      const { positions } = await batches.score(request, signal)
      return [...(positions[0]?.keys() ?? [])][0]
    })
  const idsOfCalls = () => calls.map(({ ids }) => ids)
  return { batches, calls, score, idsOfCalls }
}

const refused = engineError('ENGINE_REFUSED', 'a token id is out of the vocabulary')
const several = (from: number, count: number) => Array.from({ length: count }, (_, at) => answer(from + at))

describe('answers that wait for a scoring call', () => {
  it('share the next one, while the first ones start at once', async () => {
    const { calls, score, idsOfCalls, batches } = setup()
    const results = score(several(1, 6))
    await settle()
    expect(idsOfCalls()).toEqual([[1], [2]])
    await calls[0]?.end()
    expect(idsOfCalls()).toEqual([[1], [2], [3, 4, 5, 6]])
    await calls[1]?.end()
    await calls[2]?.end()
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4, 5, 6])
    expect(batches.work).toEqual({ calls: 3, answers: 6, tokens: 60 })
  })

  it.each<[string, readonly ScoreRequest[], readonly number[][]]>([
    ['at most 16 of them', several(3, 20), [several(3, 16).map(idOf), [19, 20, 21, 22]]],
    ['up to 2,048 tokens', several(3, 5).map((one) => answer(idOf(one), 500)), [[3, 4, 5, 6], [7]]],
    ['a long one alone', [answer(3, 513), answer(4), answer(5, 3000), answer(6)], [[3], [4, 6], [5]]],
    ['only with the same list length', [answer(3), answer(4, 10, 5), answer(5)], [[3, 5], [4]]],
  ])('%s', async (_, requests, expected) => {
    const { calls, score, idsOfCalls } = setup()
    const results = score([answer(1), answer(2), ...requests])
    for (let at = 0; at < expected.length + PARALLEL; at++) {
      await settle()
      await calls[at]?.end()
    }
    await Promise.all(results)
    expect(idsOfCalls().slice(PARALLEL)).toEqual(expected)
  })

  it('get a call each where the engine takes one answer per call', async () => {
    const { calls, score, idsOfCalls } = setup({ keyOf: () => undefined })
    const results = score(several(1, 5))
    for (let at = 0; at < 5; at++) {
      await settle()
      await calls[at]?.end()
    }
    await Promise.all(results)
    expect(idsOfCalls()).toEqual([[1], [2], [3], [4], [5]])
  })
})

describe('a shared call that fails', () => {
  it.each([
    ['because one answer is refused', refused],
    ['because one part of the response is invalid', engineError('ENGINE_ANSWER', 'an entry without rank')],
  ])('%s, is repeated for each answer alone, so that the others get their reference', async (_, error) => {
    const { calls, score, idsOfCalls } = setup()
    const results = Promise.allSettled(score(several(1, 5)))
    await settle()
    await calls[0]?.end()
    await calls[1]?.end()
    await calls[2]?.end(error)
    expect(idsOfCalls().slice(3)).toEqual([[3]])
    await calls[3]?.end()
    await calls[4]?.end(error)
    await calls[5]?.end()
    expect(idsOfCalls().slice(3)).toEqual([[3], [4], [5]])
    const settled = await results
    expect(settled.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    ])
  })

  const failed = engineError('ENGINE_UNAVAILABLE', 'returned 500', { status: 500 })

  it('with an error of the server, voids only the answer that causes it', async () => {
    const { calls, score, idsOfCalls } = setup()
    const results = Promise.allSettled(score(several(1, 6)))
    await settle()
    await calls[0]?.end()
    await calls[1]?.end()
    await calls[2]?.end(failed)
    await calls[3]?.end(failed)
    await calls[4]?.end()
    await calls[5]?.end(failed)
    await calls[6]?.end()
    expect(idsOfCalls().slice(3)).toEqual([[3], [4], [5], [6]])
    expect((await results).map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    ])
  })

  it('with errors of the server alone as well, is given up after two of them', async () => {
    const { calls, score } = setup()
    const results = Promise.allSettled(score(several(1, 8)))
    await settle()
    await calls[0]?.end()
    await calls[1]?.end()
    for (const at of [2, 3, 4]) await calls[at]?.end(failed)
    expect((await results).slice(2).every(({ status }) => status === 'rejected')).toBe(true)
    expect(calls).toHaveLength(5)
  })

  it('is not repeated when the engine is down', async () => {
    const { calls, score } = setup()
    const results = Promise.allSettled(score(several(1, 4)))
    await settle()
    await calls[0]?.end()
    await calls[1]?.end()
    await calls[2]?.end(engineError('ENGINE_UNAVAILABLE', 'down'))
    const settled = await results
    expect(settled.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'rejected'],
    ])
    expect(calls).toHaveLength(3)
  })
})

describe('an answer whose verification is aborted', () => {
  it('leaves the queue, or its call, without a change for the others', async () => {
    const { batches, calls } = setup()
    const aborts = several(1, 5).map(() => new AbortController())
    const results = several(1, 5).map((request, at) =>
      batches.score(request, aborts[at]?.signal ?? AbortSignal.abort()).then(
        () => 'scored',
        () => 'aborted',
      ),
    )
    await settle()
    aborts[2]?.abort()
    await calls[0]?.end()
    expect(calls[2]?.ids).toEqual([4, 5])
    aborts[3]?.abort()
    expect(calls[2]?.signal.aborted).toBe(false)
    await calls[1]?.end()
    await calls[2]?.end()
    expect(await Promise.all(results)).toEqual(['scored', 'scored', 'aborted', 'aborted', 'scored'])
  })

  it('ends its call when all of its answers are aborted', async () => {
    const { batches, calls } = setup()
    const abort = new AbortController()
    const results = several(1, 4).map((request) => batches.score(request, abort.signal))
    const settled = Promise.allSettled(results)
    await settle()
    await calls[0]?.end()
    abort.abort()
    expect(calls.slice(1).map(({ signal }) => signal.aborted)).toEqual([true, true])
    const statuses = (await settled).map(({ status }) => status)
    expect(statuses).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
  })
})
