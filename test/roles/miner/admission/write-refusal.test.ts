import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { refuse } from '../../../../src/epistula/index.js'
import { systemClock } from '../../../../src/kernel/clock.js'
import * as refusals from '../../../../src/roles/miner/admission/refusals.js'
import { writeRefusal } from '../../../../src/roles/miner/admission/write-refusal.js'

/** Sends one refusal over real HTTP. */
async function send(refusal: refusals.AdmissionRefusal) {
  const server = createServer((request, response) => {
    writeRefusal(systemClock, { watch: () => {}, forget: () => {} }, request, response, refusal)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const text = await answer.text()
  await new Promise((resolve) => void server.close(resolve).closeAllConnections())
  return { status: answer.status, text, headers: answer.headers }
}

describe('writeRefusal', () => {
  it.each([
    refuse('UNKNOWN_VERSION'),
    refuse('NOT_FOR_SELF'),
    refuse('UNKNOWN_SIGNER'),
    refuse('INVALID_SIGNATURE'),
    refuse('INVALID_UUID'),
    refuse('STALE'),
    refuse('SIGNATURE_MISMATCH'),
    refusals.lowStake(9999.99),
    refusals.NOT_FOUND,
  ])('answers $code with the bytes of 4.4.1', async (refusal) => {
    const { status, text } = await send(refusal)
    expect(status).toBe(refusal.status)
    expect(text).toBe(JSON.stringify({ detail: refusal.detail }))
  })

  const ours: refusals.AdmissionRefusal[] = [
    refuse('REPEATED_HEADER'),
    refuse('FROM_FUTURE'),
    refuse('REPLAYED'),
    refuse('BEFORE_START'),
    refuse('REPLAY_GUARD_FULL'),
    ...Object.values(refusals.BODY_REFUSALS),
    ...Object.values(refusals).filter((one) => typeof one === 'object' && 'status' in one),
    refusals.violates({ member: 'ignore_eos', message: 'no' }),
  ].filter(({ code }) => code !== 'NOT_FOUND')

  it.each(ours)('answers $code as an error that OpenAI’s client understands', async (refusal) => {
    const { status, text, headers } = await send(refusal)
    const error = OpenAI.APIError.generate(status, JSON.parse(text) as object, undefined, headers)
    expect(error).toMatchObject({
      status: refusal.status,
      code: refusal.code.toLowerCase(),
      param: refusal.param ?? null,
      type: expect.stringMatching(/^(invalid_request|rate_limit|server)_error$/),
    })
    expect(error.message).toContain(refusal.detail)
    expect(JSON.parse(text)).toMatchObject({ detail: refusal.detail })
    if (status === 429 || status === 503)
      expect(Number(headers.get('retry-after')), refusal.code).toBeGreaterThan(0)
  })
})
