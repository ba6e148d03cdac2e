import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { connectionLimits } from '../../src/roles/miner/serving/public-server.js'
import { startTally } from './tally.js'

it('blames no model server and no miner when this process has no file descriptor left', ({ task }) => {
  const tally = startTally(task, { fault: 'F36', kind: 'miners without file descriptors', full: 1 })
  const script = fileURLToPath(new URL('descriptors-process.ts', import.meta.url))
  const command = `ulimit -n 256; exec "${process.execPath}" --import tsx "${script}"`
  const outcome = JSON.parse(execFileSync('bash', ['-c', command], { encoding: 'utf8' }))
  expect(outcome.refusal).toMatchObject({
    status: 503,
    text: expect.stringContaining('too_many_connections'),
  })
  expect(outcome.during).toMatchObject({ health: 'up', breaker: 'closed', failures: 0 })
  expect(outcome.fault).toMatchObject({ cause: 'aborted', detail: expect.stringContaining('EMFILE') })
  expect(outcome).toMatchObject({ served: 200, after: { health: 'up', failures: 0 } })
  tally.count = 1
})

it('blames no engine and no miner of a validator, and names the limit', ({ task }) => {
  const tally = startTally(task, { fault: 'F36', kind: 'validators without file descriptors', full: 1 })
  const script = fileURLToPath(new URL('descriptors-engine-process.ts', import.meta.url))
  const command = `ulimit -n 256; exec "${process.execPath}" --import tsx "${script}"`
  const outcome = JSON.parse(execFileSync('bash', ['-c', command], { encoding: 'utf8' }))
  const ours = { code: 'ENGINE_UNAVAILABLE', fault: 'runtime', next: expect.stringContaining('ulimit -n') }
  expect(outcome.failures).toEqual(Array.from({ length: 8 }, () => ours))
  expect(outcome.during).toEqual({ usable: true, trusted: true, breaker: 'closed' })
  expect(outcome.polled).toEqual({ served: [], unasked: 1 })
  expect(outcome.after).toEqual({ answer: ['org/a'], polled: { served: ['org/a'], unasked: 0 } })
  expect(outcome.upstream).toMatchObject({ health: 'unknown', failures: 0 })
  const named = (event: string) => outcome.events.find((line: { event: string }) => line.event === event)
  const next = expect.stringContaining('ulimit -n')
  expect(named('descriptor-limit-low')).toMatchObject({ level: 40, descriptors: 256, connections: 64, next })
  expect(named('descriptors-exhausted')).toMatchObject({ level: 40, next })
  tally.count = 1
})

it.each([
  [undefined, 8192, 2048],
  [1_048_576, 8192, 2048],
  [4096, 1984, 992],
  [1024, 448, 224],
  [64, 16, 8],
])('with %s descriptors the miner takes %i connections, %i per address', (descriptors, total, perAddress) => {
  expect(connectionLimits(descriptors)).toEqual({ total, perAddress })
})
