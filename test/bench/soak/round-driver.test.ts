import { expect, test } from 'vitest'
import { LeapingClock } from '../../../bench/soak/leaping-clock.js'
import { PAUSE_MS, RoundDriver } from '../../../bench/soak/round-driver.js'

/** Rounds whose answers take this long on the clock; before each it may look in vain a few times. */
function startRounds(answerMs: number, skips = 0) {
  const clock = new LeapingClock(0)
  const miners = { streaming: 0 }
  const driver = new RoundDriver(clock, miners)
  const stopping = new AbortController()
  let ended = 0
  const run = async () => {
    for (;;) {
      for (let skip = 0; skip < skips; skip++) {
        driver.enter('planning')
        driver.enter('idle')
        await clock.sleep(1000, stopping.signal)
      }
      driver.enter('planning')
      driver.enter('querying')
      miners.streaming++
      await clock.sleep(answerMs, stopping.signal)
      miners.streaming--
      await new Promise((resolve) => setImmediate(resolve))
      ended++
      driver.enter('idle')
      await clock.sleep(PAUSE_MS, stopping.signal)
    }
  }
  const running = run().catch(() => {})
  const stop = async () => {
    stopping.abort()
    await running
  }
  return { clock, driver, ended: () => ended, stop }
}

test('each call runs one round to its end', async () => {
  const { clock, driver, ended, stop } = startRounds(2500)
  await driver.until('the first round', () => ended() === 1)
  for (let round = 2; round <= 4; round++) {
    await driver.playRound()
    expect(ended()).toBe(round)
  }
  expect(clock.monotonic()).toBeGreaterThanOrEqual(3 * PAUSE_MS)
  await stop()
})

test('a call waits until a round is possible', async () => {
  const { driver, ended, stop } = startRounds(100, 3)
  await driver.playRound()
  expect(ended()).toBe(1)
  await driver.playRound()
  expect(ended()).toBe(2)
  await stop()
})
