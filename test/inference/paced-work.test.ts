import { afterEach, describe, expect, test } from 'vitest'
import { PacedWork } from '../../src/inference/paced-work.js'
import { systemClock } from '../../src/kernel/clock.js'

/** Time that passes only while a step works. */
let ms = 0
const clock = { ...systemClock, monotonic: () => ms }
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

afterEach(nextTurn)

describe('PacedWork', () => {
  test('works at once while there is time, and in later turns for all streams together', async () => {
    const steps: string[] = []
    const works = ['a', 'b', 'c'].map((name) => {
      const work = new PacedWork(clock)
      let left = 4
      work.add(() => {
        steps.push(name)
        ms += 3
        return --left > 0
      })
      return work
    })
    // Two steps of 3 ms are more than the 5 ms of a turn.
    expect(steps.join('')).toBe('aa')
    let most = 0
    for (let before = steps.length; steps.length < 12; before = steps.length) {
      await nextTurn()
      most = Math.max(most, steps.length - before)
    }
    expect(most).toBe(2)
    // Whoever was not served comes before those who were.
    expect(steps.join('')).toBe('aaaabbccbbcc')
    await Promise.all(works.map((work) => work.whenDone()))
  })

  test('waits only for what is pending at that moment', async () => {
    const work = new PacedWork(clock)
    let isOver = false
    const refill = () => {
      ms += 6
      if (!isOver) work.add(() => refill())
      return false
    }
    work.add(refill)
    expect(ms).toBeGreaterThan(0)
    await work.whenDone()
    isOver = true
    await work.whenDone()
  })

  test('drops what is pending, also from within a step, and counts it as done', async () => {
    const work = new PacedWork(clock)
    const done: number[] = []
    const add = (step: number, end?: () => void) =>
      work.add(() => {
        done.push(step)
        ms += 6
        end?.()
        return false
      })
    add(1)
    add(2, () => work.clear())
    add(3)
    await work.whenDone()
    expect(done).toEqual([1, 2])
    add(4)
    await work.whenDone()
    expect(done).toEqual([1, 2, 4])
  })
})
