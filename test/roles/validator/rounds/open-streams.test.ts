import { expect, test } from 'vitest'
import type { StreamProgress } from '../../../../src/inference/index.js'
import { createDeferred } from '../../../../src/kernel/deferred.js'
import type { StreamStop } from '../../../../src/roles/validator/rounds/judge.js'
import { OpenStreams } from '../../../../src/roles/validator/rounds/open-streams.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { MODEL } from '../validator-rig.js'
import { servingMiner } from './round-parts.js'

function setup() {
  const clock = new ManualClock()
  const streams = new OpenStreams(clock)
  const add = (uid: number, progress?: StreamProgress, model = MODEL) => {
    const done = createDeferred<void>()
    const stops: StreamStop[] = []
    const state = { progress, isStreaming: true }
    streams.add({
      ...{ miner: servingMiner(uid), model, maxTokens: 600, startedAt: clock.monotonic() },
      isStreaming: () => state.isStreaming,
      progress: () => state.progress,
      stop: (stop) => stops.push(stop),
      done: done.promise,
    })
    return { state, stops, finish: done.resolve }
  }
  return { clock, streams, add }
}

/** Tokens per second, over ten seconds. */
const at = (speed: number): StreamProgress => ({ tokens: 10 * speed, streamedMs: 10_000 })

test('a miner is busy with the model of its open stream until the verdict', async () => {
  const { streams, add } = setup()
  const { finish } = add(1)
  expect(streams.isBusy('5Miner1', MODEL)).toBe(true)
  expect(streams.isBusy('5Miner1', 'org/other')).toBe(false)
  expect(streams.isBusy('5Miner2', MODEL)).toBe(false)
  finish()
  await settle()
  expect(streams.isBusy('5Miner1', MODEL)).toBe(false)
  expect(streams.count).toBe(0)
})

test('the speed of a stream so far counts from its first token; before it, as the most the stream can become', async () => {
  const { clock, streams, add } = setup()
  const { state } = add(1)
  await clock.advance(20_000)
  expect(streams.sitOut('5Miner1', MODEL)).toBe(30)
  state.progress = { tokens: 1, streamedMs: 0 }
  expect(streams.sitOut('5Miner1', MODEL)).toBe(30)
  state.progress = at(7)
  expect(streams.sitOut('5Miner1', MODEL)).toBe(7)
  // Complete, so only our verdict is missing: the miner is not sitting out because of its stream.
  state.isStreaming = false
  expect(streams.sitOut('5Miner1', MODEL)).toBeUndefined()
  expect(streams.sitOut('5Miner2', MODEL)).toBeUndefined()
})

test('ends a stream as worthless once it fills the window and is slower than a token per second', () => {
  const { streams, add } = setup()
  const drip = add(1, at(0.3))
  const slow = add(2, at(1))
  for (let round = 0; round < 15; round++) {
    streams.stopWorthless()
    expect(drip.stops).toEqual([])
    for (const uid of [1, 2]) streams.sitOut(`5Miner${uid}`, MODEL)
  }
  streams.stopWorthless()
  expect(drip.stops).toEqual([{ kind: 'worthless', detail: 'cut after 15 rounds: 0.30 tokens/s so far' }])
  expect(slow.stops).toEqual([])
})

test('without room ends the slowest streams first, and fails only those that are worth nothing', async () => {
  const { clock, streams, add } = setup()
  const honest = add(1, at(6))
  await clock.advance(1000)
  const others = [at(0.3), undefined, at(12), at(8)].map((progress, index) => add(index + 2, progress))
  const complete = add(9)
  complete.state.isStreaming = false
  streams.stopSlowest(5)
  for (const { stops } of [honest, ...others, complete]) expect(stops).toEqual([])
  streams.stopSlowest(2)
  const kinds = [honest, ...others, complete].map(({ stops }) => stops[0]?.kind)
  expect(kinds).toEqual(['no-room', 'worthless', 'worthless', undefined, undefined, undefined])
})
