import { expect, it } from 'vitest'
import { resolveSettings } from '../../../src/config/index.js'

const workersOf = (workers: string) =>
  resolveSettings('miner', { flags: { workers }, env: {} }).values.workers

it('has one process unless workers are asked for', () => {
  expect(resolveSettings('miner', { flags: {}, env: {} }).values.workers).toBe(1)
  expect(workersOf('4')).toBe(4)
  expect(workersOf('64')).toBe(64)
  expect(workersOf('auto')).toBe('auto')
  const configFile = { path: 'c.json', text: '{"workers": 3}' }
  expect(resolveSettings('miner', { flags: {}, env: {}, configFile }).values.workers).toBe(3)
})

it.each(['0', '65', '1.5', '-1', 'many', '', '4 '])('refuses "%s" workers', (text) => {
  expect(() => workersOf(text)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('must be auto or a whole number from 1 to 64'),
    }),
  )
})
