import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { signRequest, verifyRequest } from '../../src/epistula/index.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'

const NAMES = [
  'epistula-version',
  'epistula-timestamp',
  'epistula-uuid',
  'epistula-signed-by',
  'epistula-signed-for',
  'epistula-request-signature',
]
const moment = fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 })
let signer: Signer
let receiver: Signer

beforeAll(async () => {
  signer = await hotkeyOf(1)
  receiver = await hotkeyOf(2)
})

function sign(body: Uint8Array, nowMs: number, uuid: string): Record<string, string[]> {
  const headers = signRequest({ signer, signedFor: receiver.address, body, nowMs, uuid })
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]))
}

test('verifyRequest accepts every signed request within the window', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 500 }),
      moment,
      fc.string({ minLength: 1 }),
      fc.integer({ min: -8000, max: 8000 }),
      (body, nowMs, uuid, delayMs) => {
        const headers = sign(body, nowMs, uuid)
        expect(verifyRequest({ headers, body, nowMs: nowMs + delayMs, signedFor: receiver.address }).ok).toBe(
          true,
        )
      },
    ),
    { numRuns: 60 },
  )
})

test('verifyRequest rejects a body with one changed byte', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      moment,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (body, nowMs, at, change) => {
        const headers = sign(body, nowMs, 'u')
        const changed = body.map((byte, index) => (index === at % body.length ? byte ^ change : byte))
        expect(verifyRequest({ headers, body: changed, nowMs, signedFor: receiver.address })).toMatchObject({
          code: 'SIGNATURE_MISMATCH',
        })
      },
    ),
    { numRuns: 60 },
  )
})

test('verifyRequest rejects any other text in any signed header with 400 and never throws', () => {
  const nowMs = 1_734_000_000_000
  const body = Buffer.from('{}')
  const good = sign(body, nowMs, 'u')
  const values = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ maxLength: 200 }),
    fc.constantFrom('', '2', '0x', 'u', signer?.address ?? ''),
  )
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), values, (name, value) => {
      fc.pre(good[name]?.[0] !== value)
      const headers = { ...good, [name]: [value] }
      expect(verifyRequest({ headers, body, nowMs, signedFor: receiver.address })).toMatchObject({
        ok: false,
        status: 400,
      })
    }),
    { numRuns: 300 },
  )
})
