import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/routing/index.js'
import { refuseUnavailable, type UnavailableReason } from '../../src/routing/unavailable.js'

/** Sends one refusal over real HTTP. */
async function refuse(model: string, reason: UnavailableReason, detail = '') {
  let outcome: Outcome | undefined
  const server = createServer((_, response) => {
    outcome = refuseUnavailable(response, model, reason, detail)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const body = (await answer.json()) as { error: { message: string; code: string; param: string | null } }
  await new Promise((resolve) => void server.close(resolve).closeAllConnections())
  return { outcome, error: body.error, status: answer.status, retryAfter: answer.headers.get('retry-after') }
}

describe('refuseUnavailable', () => {
  it.each([
    ['full', 429, 'all_busy', '1'],
    ['queue-timeout', 429, 'all_busy', '1'],
    ['down', 503, 'model_unavailable', '5'],
    ['timeout', 504, 'upstream_failed', null],
    ['failed', 502, 'upstream_failed', '5'],
  ] as const)('answers %s with %i, an error of OpenAI’s shape', async (reason, status, code, retryAfter) => {
    const refusal = await refuse('org/model', reason)
    expect(refusal).toMatchObject({ status, retryAfter, error: { code, param: null } })
    expect(refusal.outcome).toEqual({ kind: 'refused', status, reason })
  })

  it('keeps the detail for the operator', async () => {
    const { outcome, error } = await refuse('org/model', 'failed', 'http://10.0.0.2:8000/v1: returned 500')
    expect(outcome).toMatchObject({ reason: 'http://10.0.0.2:8000/v1: returned 500' })
    expect(JSON.stringify(error)).not.toContain('10.0.0.2')
  })

  it('quotes an unknown model, cut to a bounded length', async () => {
    const { status, error } = await refuse(`"${'x'.repeat(5000)}`, 'unknown')
    expect([status, error.code, error.param]).toEqual([404, 'model_not_found', 'model'])
    expect(error.message).toMatch(/^The model "\\"x+" does not exist\.$/)
    expect(error.message.length).toBeLessThan(260)
  })
})
