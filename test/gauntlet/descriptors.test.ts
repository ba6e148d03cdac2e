import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { connectionLimits } from '../../src/roles/miner/serving/public-server.js'

it('blames no model server and no miner when this process has no file descriptor left', () => {
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
