import { expect, test } from 'vitest'
import { LeapingClock } from '../../../bench/soak/leaping-clock.js'

test('the clock stands still until it leaps', () => {
  const clock = new LeapingClock(5000)
  expect([clock.now(), clock.monotonic()]).toEqual([5000, 0])
  clock.leap(300)
  expect([clock.now(), clock.monotonic()]).toEqual([5300, 300])
})

test('a leap ends each sleep that is due once, in the order of their times', async () => {
  const clock = new LeapingClock(0)
  const woken: string[] = []
  const asleep = [30, 10, 20, 1001].map((ms) => clock.sleep(ms).then(() => woken.push(`${ms}`)))
  clock.leap(9)
  await clock.quiet()
  expect(woken).toEqual([])
  clock.leap(991)
  await Promise.all(asleep.slice(0, 3))
  expect(woken).toEqual(['10', '20', '30'])
  clock.leap(1)
  await asleep[3]
  expect(woken).toEqual(['10', '20', '30', '1001'])
})

test('a sleep that begins during a leap ends with a later leap', async () => {
  const clock = new LeapingClock(0)
  let times = 0
  const loop = async () => {
    for (;;) {
      await clock.sleep(10)
      times++
    }
  }
  void loop()
  clock.leap(1000)
  await clock.quiet()
  expect(times).toBe(1)
  clock.leap(10)
  await clock.quiet()
  expect(times).toBe(2)
})

test('a sleep ends with its signal and leaves no listener behind', async () => {
  const clock = new LeapingClock(0)
  const stopping = new AbortController()
  const reason = new Error('stopped')
  const asleep = clock.sleep(10, stopping.signal)
  stopping.abort(reason)
  await expect(asleep).rejects.toBe(reason)
  await expect(clock.sleep(10, stopping.signal)).rejects.toBe(reason)
  clock.leap(20)
})

test('quiet() resolves once no sleep begins or ends any more', async () => {
  const clock = new LeapingClock(0)
  let begun = 0
  const busy = async () => {
    for (begun = 1; begun <= 5; begun++) {
      void clock.sleep(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  void busy()
  await clock.quiet()
  expect(begun).toBe(6)
})
