import { expect, it } from 'vitest'
import { CAST } from '../../../src/localnet/network/cast.js'
import { describeWaiting } from '../../../src/localnet/network/waiting.js'

it('names what a start waits for and for how long, in 80 columns', () => {
  expect(describeWaiting(['validator'], 1600)).toBe('Waiting for validator (2 s)')
  const all = describeWaiting(
    CAST.map(({ name }) => name),
    119_000,
  )
  expect(all).toBe('Waiting for honest-fast, honest-medium, honest-slow and 6 more (119 s)')
  expect(all.length).toBeLessThan(80)
})
