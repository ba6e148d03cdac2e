import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, createMinerAgent, prepareRequest, sendPrepared } from '../../src/inference/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import {
  EVEN_CHUNKS,
  readTruth,
  type StreamUpstream,
  startStreamUpstream,
} from '../support/stream-upstream.js'
import { scaled } from './scale.js'
import { startTally } from './tally.js'

/** F19 for the validator: the wall clock jumps by an hour while answers stream. */

const HOUR_MS = 3_600_000
let signer: Signer
let upstream: StreamUpstream
const dispatcher = createMinerAgent()
beforeAll(async () => {
  signer = await hotkeyOf(1)
  upstream = await startStreamUpstream()
})
afterAll(async () => {
  await dispatcher.destroy()
  await upstream?.close()
})

async function ask(clock: Clock): Promise<Answer> {
  const prepared = prepareRequest(
    { endpoint: 'chat', model: 'even', temperature: 0, maxTokens: 500, messages: [] },
    { url: upstream.url, hotkey: signer.address },
    { signer, clock: systemClock },
  )
  return sendPrepared(prepared, { clock, dispatcher })
}

/** A clock whose wall time jumps back and forth every 50 ms. */
function jumpingClock(): Clock {
  const jump = () => [0, HOUR_MS, -HOUR_MS][Math.floor(performance.now() / 50) % 3] ?? 0
  return { ...systemClock, now: () => systemClock.now() + jump() }
}

/** Relative difference between our total time and the one stamped by the sender. */
function distortionOf({ text, timing, fault, chunks }: Answer): number {
  expect({ fault, chunks }).toEqual({ fault: undefined, chunks: EVEN_CHUNKS })
  return Math.abs(timing.totalMs / readTruth(text) - 1)
}

test('wall-clock jumps of an hour do not change the measured times of an answer', async ({ task }) => {
  const tally = startTally(task, {
    fault: 'F19',
    kind: 'answers while the wall clock jumps by an hour',
    full: 100,
  })
  await ask(systemClock)
  const clock = jumpingClock()
  const distortions: number[] = []
  for (let run = 0; run < scaled(tally.full, 6); run++) distortions.push(distortionOf(await ask(clock)))
  distortions.sort((a, b) => a - b)
  expect(distortions[Math.floor(distortions.length / 2)]).toBeLessThan(0.01)
  tally.count = distortions.length
})

test('control: measured with the wall clock, the times of the same answer are wrong', async () => {
  const clock = jumpingClock()
  const { timing, text } = await ask({ ...clock, monotonic: clock.now })
  // jumps can cancel out in the total, but not in both times
  const apart = [timing.totalMs, timing.timeToFirstTokenMs].map((ms) => Math.abs(ms - readTruth(text)))
  expect(Math.max(...apart)).toBeGreaterThan(0.01 * readTruth(text))
})
