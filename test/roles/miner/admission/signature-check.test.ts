import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { hashBody, readClaim, signRequest } from '../../../../src/epistula/index.js'
import {
  createSignatureWorkers,
  type SignatureCheck,
} from '../../../../src/roles/miner/admission/signature-check.js'
import { hotkeyOf } from '../../../support/hotkeys.js'

describe('signature workers', () => {
  let check: SignatureCheck | undefined
  afterEach(() => check?.close())

  it('match each answer to its own request, valid or not', async () => {
    check = await createSignatureWorkers(2, pino({ level: 'silent' }))
    const signer = await hotkeyOf(2)
    const jobs = Array.from({ length: 40 }, (_, index) => {
      const body = Buffer.from(`body ${index}`)
      const signed = signRequest({ signer, signedFor: signer.address, body, nowMs: Date.now() })
      const headers = Object.fromEntries(
        Object.entries(signed).map(([name, value]) => [name.toLowerCase(), [value]]),
      )
      const claim = readClaim(headers)
      if (!claim.ok) throw new Error(claim.detail)
      return { claim, bodyHash: hashBody(index % 3 === 0 ? Buffer.from('another body') : body) }
    })
    const answers = await Promise.all(jobs.map(({ claim, bodyHash }) => check?.check(claim, bodyHash)))
    expect(answers.map((answer) => answer?.code)).toEqual(
      jobs.map((_, index) => (index % 3 === 0 ? 'SIGNATURE_MISMATCH' : undefined)),
    )
    // A thread that does not start leaves its checks to this one, so correct answers alone prove nothing.
    expect(check.checkedOnThreads).toBe(jobs.length)
  })
})
