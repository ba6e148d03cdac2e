import pino from 'pino'
import { expect, it } from 'vitest'
import type { RequestEnd } from '../../../src/roles/hub/gateway/index.js'
import { createRequestLog } from '../../../src/roles/hub/request-log.js'
import { ManualClock } from '../../support/manual-clock.js'

const end: RequestEnd = {
  ...{ id: 'req_1', key: 'key_1', route: '/v1/chat/completions', model: 'org/m', outcome: 'failed' },
  ...{ code: 'miner_failed', causes: [{ uid: 3, kind: 'failed', reason: 'The miner answered 500' }] },
  ...{ attempts: 1, hedges: 0, firstTokenMs: undefined, totalMs: 12.3, promptTokens: 0, tokens: 0 },
}

function rig() {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info', base: null }, { write: (line) => void lines.push(JSON.parse(line)) })
  return { clock, lines, note: createRequestLog(log, clock) }
}

it('a failed request is a warning with its id, key, model, attempts and causes', () => {
  const { lines, note } = rig()
  note(end)
  expect(lines).toMatchObject([
    {
      ...{ level: 40, event: 'hub-request-failed', id: 'req_1', key: 'key_1', model: 'org/m', ms: 12 },
      ...{ code: 'miner_failed', attempts: 1, causes: end.causes },
    },
  ])
})

it('a request that was answered, refused or left by the user is no warning', () => {
  const { lines, note } = rig()
  for (const outcome of ['answered', 'refused', 'left'] as const) note({ ...end, outcome })
  expect(lines).toEqual([])
})

it('of a flood of one code two lines are logged, then one a second that tells how many were left out', async () => {
  const { clock, lines, note } = rig()
  for (let count = 0; count < 1000; count++) note(end)
  note({ ...end, code: 'no_miner' })
  expect(lines.map(({ code }) => code)).toEqual(['miner_failed', 'miner_failed', 'no_miner'])
  await clock.advance(1000)
  note(end)
  note(end)
  expect(lines.slice(3)).toMatchObject([{ code: 'miner_failed', omitted: 998 }])
  await clock.advance(2000)
  note(end)
  expect(lines[4]).toMatchObject({ omitted: 1 })
})
