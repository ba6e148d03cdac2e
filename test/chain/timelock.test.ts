import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeWeightsPayload,
  encryptForRound,
  firstRevealBlock,
  revealRound,
} from '../../src/chain/timelock/index.js'

/** Ciphertext with fixed randomness, opened by arkworks (see `note` in the file). */
const vectors: { round: number; plaintext_utf8: string; noble_ct: string } = JSON.parse(
  readFileSync(new URL('../fixtures/chain/tle-vectors.json', import.meta.url), 'utf8'),
)
const quicknet = Buffer.from(
  '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  'hex',
)

describe('time-lock encryption', () => {
  it('gives the bytes arkworks opens', () => {
    const fixed = { key: Buffer.alloc(32, 2), seed: Buffer.alloc(32, 3), nonce: Buffer.alloc(12, 4) }
    const sealed = encryptForRound(Buffer.from(vectors.plaintext_utf8), vectors.round, quicknet, fixed)
    expect(Buffer.from(sealed).toString('hex')).toBe(vectors.noble_ct)
  })

  it('never seals twice alike: two commits of one vector tell nothing', () => {
    const message = Buffer.from('same')
    const sealed = [1, 2].map(() => Buffer.from(encryptForRound(message, 5, quicknet)).toString('hex'))
    expect(sealed[0]).not.toBe(sealed[1])
  })

  it('stays below the chain’s 5,000 bytes for a full subnet, with the known overhead', () => {
    const entries = Array.from({ length: 256 }, (_, uid) => ({ uid, weightU16: 65_535 }))
    const payload = encodeWeightsPayload(entries, 404_010, Buffer.alloc(32, 9))
    const sealed = encryptForRound(payload, 1000, quicknet)
    expect(sealed.length).toBe(payload.length + 244)
    expect(sealed.length).toBeLessThan(5000)
  })

  it('a key that is no point of the curve is refused', () => {
    expect(() => encryptForRound(Buffer.from('x'), 1, Buffer.alloc(96, 1))).toThrow()
  })
})

describe('payload', () => {
  const entries = [
    { uid: 0, weightU16: 30_000 },
    { uid: 1, weightU16: 65_535 },
  ]

  it('names the hotkey from version 4 on, and is without before', () => {
    const rest = '0800000100083075ffff2a2a060000000000'
    expect(Buffer.from(encodeWeightsPayload(entries, 404_010, undefined)).toString('hex')).toBe(rest)
    expect(Buffer.from(encodeWeightsPayload(entries, 404_010, Buffer.alloc(32, 7))).toString('hex')).toBe(
      `80${'07'.repeat(32)}${rest}`,
    )
  })
})

describe('reveal block', () => {
  const base = { netuid: 4, revealPeriod: 1 }
  const stateful = { pendingEpochAt: 0, epochIndex: 7, blocksSinceLastStep: 0 }
  it.each([
    ['the next epoch', { tempo: 50, head: 10, stateful: { ...stateful, lastEpochBlock: 10 } }, 60],
    [
      'a pending epoch',
      { tempo: 20, head: 91, stateful: { ...stateful, lastEpochBlock: 80, pendingEpochAt: 95 } },
      95,
    ],
    [
      'the epoch after, when the commit lands on a boundary',
      { tempo: 20, head: 99, stateful: { ...stateful, lastEpochBlock: 80 } },
      120,
    ],
  ])('%s', (_, state, block) => {
    expect(firstRevealBlock({ ...base, ...state })).toBe(block)
  })

  it('no epochs: an error instead of an endless search', () => {
    expect(() => firstRevealBlock({ ...base, tempo: 0, head: 1 })).toThrow(RangeError)
  })

  it('by the old formula the reveal begins an epoch and lies ahead', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10_000_000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.nat({ max: 200 }),
        (head, tempo, revealPeriod, netuid) => {
          const block = firstRevealBlock({ netuid, head, tempo, revealPeriod })
          expect((block + netuid + 1) % (tempo + 1)).toBe(0)
          expect(block).toBeGreaterThan(head)
          expect(block - head).toBeLessThanOrEqual((tempo + 1) * revealPeriod + 1)
        },
      ),
    )
  })

  it('the round is published three blocks into the reveal epoch', () => {
    const state = { ...base, tempo: 50, head: 10, stateful: { ...stateful, lastEpochBlock: 10 } }
    const beacon = { genesisSeconds: 1_000, periodSeconds: 3 }
    // 53 blocks of 12 s after second 10,000 is 10,636.
    expect(revealRound(state, 10_000, 12, beacon)).toEqual({ round: 3212, block: 60 })
    expect(revealRound(state, 0, 0.25, beacon).round).toBe(1)
  })
})
