import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeWeightsPayload } from '../../src/chain/commit-weights.js'
import { encryptForRound } from '../../src/chain/timelock.js'

/** Ciphertext with fixed randomness, decrypted by arkworks (see `note` in the file). */
const vectors: { round: number; plaintext_utf8: string; noble_ct: string } = JSON.parse(
  readFileSync(new URL('../fixtures/chain/tle-vectors.json', import.meta.url), 'utf8'),
)
const quicknet = Buffer.from(
  '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  'hex',
)

describe('encryptForRound', () => {
  it('produces the bytes arkworks decrypts', () => {
    const fixed = { key: Buffer.alloc(32, 2), seed: Buffer.alloc(32, 3), nonce: Buffer.alloc(12, 4) }
    const sealed = encryptForRound(Buffer.from(vectors.plaintext_utf8), vectors.round, quicknet, fixed)
    expect(Buffer.from(sealed).toString('hex')).toBe(vectors.noble_ct)
  })

  it('never produces the same ciphertext twice', () => {
    const message = Buffer.from('same')
    const sealed = [1, 2].map(() => Buffer.from(encryptForRound(message, 5, quicknet)).toString('hex'))
    expect(sealed[0]).not.toBe(sealed[1])
  })

  it('stays below the chain’s limit of 5,000 bytes for a full subnet, with 244 bytes of overhead', () => {
    const entries = Array.from({ length: 256 }, (_, uid) => ({ uid, weightU16: 65_535 }))
    const payload = encodeWeightsPayload(entries, 404_010, Buffer.alloc(32, 9))
    const sealed = encryptForRound(payload, 1000, quicknet)
    expect(sealed.length).toBe(payload.length + 244)
    expect(sealed.length).toBeLessThan(5000)
  })

  it('rejects a key that is not a point of the curve', () => {
    expect(() => encryptForRound(Buffer.from('x'), 1, Buffer.alloc(96, 1))).toThrow()
  })
})

describe('encodeWeightsPayload', () => {
  const entries = [
    { uid: 0, weightU16: 30_000 },
    { uid: 1, weightU16: 65_535 },
  ]

  it('includes the hotkey from version 4 on', () => {
    const rest = '0800000100083075ffff2a2a060000000000'
    expect(Buffer.from(encodeWeightsPayload(entries, 404_010, undefined)).toString('hex')).toBe(rest)
    expect(Buffer.from(encodeWeightsPayload(entries, 404_010, Buffer.alloc(32, 7))).toString('hex')).toBe(
      `80${'07'.repeat(32)}${rest}`,
    )
  })
})
