import { expect, test } from 'vitest'
import { type Clock, systemClock } from '../../../../src/kernel/clock.js'
import { createRig, createRigEngine } from '../validator-rig.js'

/** Waits take a fiftieth of their time. */
const fastClock: Clock = {
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() * 50,
  sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
}

test('an engine that died is looked after within the minute, not at the next epoch, and not at every skipped round', async () => {
  const asked: number[] = []
  let isUp = false
  const engine = createRigEngine()
  const rig = await createRig(
    [],
    { 'epoch-length': 1000 },
    {
      clock: fastClock,
      engines: () => [isUp ? engine : { ...engine, unreadyReason: 'its container is gone' }],
      refreshEngines: async () => {
        asked.push(fastClock.monotonic())
        isUp = asked.length > 2
      },
    },
  )
  try {
    const startedAt = fastClock.monotonic()
    await rig.start()
    await expect.poll(() => asked.length, { interval: 5 }).toBe(3)
    const [first = 0, second = 0, third = 0] = asked
    for (const pauseMs of [first - startedAt, second - first, third - second]) {
      expect(pauseMs).toBeGreaterThan(29_000)
      // Beside what a busy machine adds, fiftyfold.
      expect(pauseMs).toBeLessThan(60_000 + 500_000)
    }
    // Once one is ready nobody looks any more.
    await fastClock.sleep(70_000)
    expect(asked).toHaveLength(3)
  } finally {
    await rig.dispose()
  }
})
