import { expect, it } from 'vitest'
import { type UpdateStanding, updateConditions } from '../../src/roles/update-conditions.js'

const { signal } = new AbortController()

it('tells a release that waits only after hours, and one that was rolled back at once', async () => {
  const next = 'Run targon update.'
  const standing: UpdateStanding = {
    waiting: { version: '5.1.0', reason: 'this node was not started by the launcher', next },
    rolledBack: ['5.0.9'],
  }
  const conditions = updateConditions({ standing: async () => standing })
  const found = await Promise.all(conditions.map(async ({ id, look }) => [id, await look(signal)]))
  expect(Object.fromEntries(found)).toMatchObject({
    'update-waiting': [
      { sentence: 'Release 5.1.0 is not installed: this node was not started by the launcher.', next },
    ],
    'update-rolled-back': [
      { sentence: 'Release 5.0.9 did not become healthy on this machine and was rolled back.' },
    ],
  })
  expect(conditions.map(({ forMs }) => forMs)).toEqual([3 * 3_600_000, 0])
})

it('tells nothing while the newest release runs', async () => {
  const conditions = updateConditions({ standing: async () => ({ waiting: undefined, rolledBack: [] }) })
  for (const { look } of conditions) expect(await look(signal)).toEqual([])
})
