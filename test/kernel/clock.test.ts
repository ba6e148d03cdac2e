import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { every, systemClock, withDeadline } from '../../src/kernel/clock.js'
import { DeadlineError } from '../../src/kernel/errors.js'
import { ManualClock, settle } from '../support/manual-clock.js'

describe('withDeadline', () => {
  test('returns the result and leaves no timer behind', async () => {
    const clock = new ManualClock()
    expect(await withDeadline(clock, 'work', 100, undefined, async () => 7)).toBe(7)
    await settle()
    expect(clock.waiting).toBe(0)
  })

  test('rejects with the failure of the work, not a later deadline', async () => {
    const clock = new ManualClock()
    const failing = withDeadline(clock, 'work', 100, undefined, async () => {
      throw new Error('broken')
    })
    await expect(failing).rejects.toThrow('broken')
    await clock.advance(1000)
  })

  test('settles at the deadline even when the work ignores its signal', async () => {
    const clock = new ManualClock()
    let inner: AbortSignal | undefined
    const waiting = withDeadline(clock, 'the answer', 100, undefined, (signal) => {
      inner = signal
      return new Promise(() => {})
    })
    const failed = expect(waiting).rejects.toMatchObject({
      code: 'DEADLINE',
      message: 'The answer did not finish within 100 ms.',
    })
    await clock.advance(99)
    expect(inner?.aborted).toBe(false)
    await clock.advance(1)
    await failed
    expect(inner?.reason).toBeInstanceOf(DeadlineError)
  })

  test('rejects with the abort reason of the caller, never a deadline', async () => {
    const clock = new ManualClock()
    const stopping = new AbortController()
    const reason = new Error('stop')
    let inner: AbortSignal | undefined
    const waiting = withDeadline(clock, 'work', 100, stopping.signal, (signal) => {
      inner = signal
      return new Promise(() => {})
    })
    stopping.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(inner?.reason).toBe(reason)
  })

  test('does not start the work when the caller has already aborted', async () => {
    let started = false
    const waiting = withDeadline(
      new ManualClock(),
      'work',
      100,
      AbortSignal.abort(new Error('stop')),
      async () => {
        started = true
      },
    )
    await expect(waiting).rejects.toThrow('stop')
    expect(started).toBe(false)
  })
})

describe('every', () => {
  test('drops ticks instead of queueing them when a job outlasts the interval', async () => {
    const clock = new ManualClock()
    const stopping = new AbortController()
    const starts: number[] = []
    const running = every(
      clock,
      100,
      stopping.signal,
      async () => {
        starts.push(clock.monotonic())
        await clock.sleep(250)
      },
      () => {},
    )
    await clock.advance(1000)
    expect(starts).toEqual([100, 450, 800])
    stopping.abort()
    await clock.advance(1000)
    await running
  })

  test('reports a failed job and continues', async () => {
    const clock = new ManualClock()
    const stopping = new AbortController()
    const errors: unknown[] = []
    const running = every(
      clock,
      10,
      stopping.signal,
      async () => {
        throw new Error('no')
      },
      (error) => errors.push(error),
    )
    await clock.advance(35)
    expect(errors).toHaveLength(3)
    stopping.abort()
    await running
  })

  test('does not report an abort during a job as a failure', async () => {
    const clock = new ManualClock()
    const stopping = new AbortController()
    const errors: unknown[] = []
    const running = every(
      clock,
      10,
      stopping.signal,
      (signal) => clock.sleep(1000, signal),
      (error) => errors.push(error),
    )
    await clock.advance(20)
    stopping.abort()
    await running
    expect(errors).toEqual([])
  })
})

describe('systemClock', () => {
  test('ends a sleep at once when its signal aborts', async () => {
    const stopping = new AbortController()
    const sleeping = systemClock.sleep(60_000, stopping.signal)
    stopping.abort()
    await expect(sleeping).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('measures durations independently of the wall clock', () => {
    const [wall, monotonic] = [systemClock.now(), systemClock.monotonic()]
    expect(wall).toBeGreaterThan(1_700_000_000_000)
    expect(monotonic).toBeLessThan(1_000_000_000_000)
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(monotonic)
  })
})

describe('the sleep of the system clock', () => {
  test('rejects with the AbortError of its signal, which is not made again', async () => {
    const stopping = new AbortController()
    const sleeping = systemClock.sleep(60_000, stopping.signal)
    stopping.abort()
    await expect(sleeping).rejects.toBe(stopping.signal.reason)
    await expect(systemClock.sleep(0, stopping.signal)).rejects.toBe(stopping.signal.reason)
  })

  test('rejects with an AbortError when the signal has another reason, and leaves no listener', async () => {
    const stopping = new AbortController()
    await systemClock.sleep(0, stopping.signal)
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([])
    const reason = new Error('stop')
    const sleeping = systemClock.sleep(60_000, stopping.signal)
    stopping.abort(reason)
    await expect(sleeping).rejects.toMatchObject({ name: 'AbortError', cause: reason })
  })
})

test('a deadline that is met makes no error', async () => {
  const { signal } = new AbortController()
  const rejections: unknown[] = []
  const clock = {
    ...systemClock,
    sleep: (ms: number, own?: AbortSignal) =>
      systemClock.sleep(ms, own).catch((error: unknown) => {
        rejections.push(error)
        throw error
      }),
  }
  await withDeadline(clock, 'work', 60_000, signal, async () => 1)
  await withDeadline(clock, 'work', 60_000, signal, async () => 2)
  await settle()
  expect(rejections).toHaveLength(2)
  expect(rejections[0]).toBe(rejections[1])
  expect(getEventListeners(signal, 'abort')).toEqual([])
})
