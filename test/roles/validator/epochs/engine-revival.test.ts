import { expect, it } from 'vitest'
import { EngineRevival } from '../../../../src/roles/validator/epochs/engine-revival.js'
import { ManualClock } from '../../../support/manual-clock.js'

/** The seconds at which something was due, when asked every second. */
async function dueSeconds(
  missing: (second: number) => readonly string[],
  seconds: number,
): Promise<number[]> {
  const clock = new ManualClock()
  const revival = new EngineRevival(clock)
  const due: number[] = []
  for (let second = 0; second <= seconds; second++) {
    if (revival.isDue(missing(second))) due.push(second)
    await clock.advance(1_000)
  }
  return due
}

it('looks after a missing engine after half a minute, then ever more rarely, at least every ten minutes', async () => {
  expect(await dueSeconds(() => ['org/a'], 3_000)).toEqual([30, 90, 210, 450, 930, 1_530, 2_130, 2_730])
})

it('starts anew for an engine that was ready in between', async () => {
  expect(await dueSeconds((second) => (second === 100 ? [] : ['org/a']), 200)).toEqual([30, 90, 131, 191])
})

it('looks after an engine that died soon, also when another one never starts', async () => {
  const due = await dueSeconds((second) => (second < 2_000 ? ['org/huge'] : ['org/huge', 'org/a']), 2_040)
  expect(due.at(-1)).toBe(2_030)
})

it('has nothing to do while every engine is ready', async () => {
  expect(await dueSeconds(() => [], 1_000)).toEqual([])
})
