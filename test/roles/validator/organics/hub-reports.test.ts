import pino from 'pino'
import { expect, test } from 'vitest'
import { createDeferred } from '../../../../src/kernel/deferred.js'
import type { HubClient } from '../../../../src/roles/validator/organics/hub-client.js'
import { createHubReports } from '../../../../src/roles/validator/organics/hub-reports.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/round.js'
import { answerOf, completionRequest, servingMiner } from '../rounds/round-parts.js'

function resultWith(text: string): RoundResult {
  const answer = answerOf({ tokens: [{ text, tokenId: 1, logprob: -1 }] })
  const verdict = { kind: 'failed', cause: 'BAD_STREAM', detail: '' } as const
  const common = { round: 1, block: 1, at: 0, stallMs: 0 }
  return { ...common, miner: servingMiner(1), request: completionRequest(), answer, verdict }
}

test('bounds the queue for a hub that hangs in reports and bytes, dropping the oldest', async () => {
  const answer = createDeferred<{ status: number; text: string }>()
  const sent: string[] = []
  const hub: HubClient = {
    post: (_, body) => {
      sent.push(String(body))
      return answer.promise
    },
    close: async () => {},
  }
  const { signal } = new AbortController()
  const reports = createHubReports(hub, '5Validator', pino({ level: 'silent' }), signal)
  for (let round = 0; round < 41; round++) reports.report([resultWith('small')], [], {})
  expect(reports.dropped()).toBe(8)
  // 20 MiB each: four of these do not fit and displace all reports before them.
  for (let round = 0; round < 4; round++) reports.report([resultWith('x'.repeat(20 << 20))], [], {})
  expect(reports.dropped()).toBe(8 + 32 + 1)
  reports.report([resultWith('y'.repeat(65 << 20))], [], {})
  reports.report([resultWith('last')], [], {})
  expect(reports.dropped()).toBe(8 + 32 + 4 + 1)
  answer.resolve({ status: 200, text: '' })
  await reports.idle()
  expect(sent).toHaveLength(2)
  expect(sent[1]).toContain('"text":"last"')
})
