import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  addressOf,
  initSr25519,
  pairFromSeed,
  publicKeyOf,
  type Sr25519Pair,
  sign,
  verify,
} from '../../src/kernel/sr25519.js'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
let pair: Sr25519Pair

beforeAll(async () => {
  await initSr25519()
  pair = pairFromSeed(new Uint8Array(32).fill(0x11))
})

describe('signatures', () => {
  test('verify only with the key that made them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes(32), (message, seed) => {
        const own = pairFromSeed(seed)
        const signature = sign(own, message)
        expect(verify(message, signature, own.publicKey)).toBe(true)
        expect(verify(message, signature, pair.publicKey)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })

  test('fail without throwing when any bit of signature, key or message is flipped', () => {
    const message = new Uint8Array(40).fill(3)
    const signature = sign(pair, message)
    const flip = (data: Uint8Array, bit: number) =>
      data.map((byte, n) => (n === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    fc.assert(
      fc.property(
        fc.nat({ max: 511 }),
        fc.nat({ max: 255 }),
        fc.nat({ max: 319 }),
        (inSignature, inKey, inMessage) => {
          expect(verify(message, flip(signature, inSignature), pair.publicKey)).toBe(false)
          expect(verify(message, signature, flip(pair.publicKey, inKey))).toBe(false)
          expect(verify(flip(message, inMessage), signature, pair.publicKey)).toBe(false)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('fail for random signatures and keys of any length, after which a good one still verifies', () => {
    const any = fc.oneof(fc.uint8Array({ maxLength: 130 }), bytes(64), bytes(32))
    fc.assert(
      fc.property(any, any, (signature, publicKey) => {
        expect(verify(new Uint8Array(3), signature, publicKey)).toBe(false)
      }),
      { numRuns: 500 },
    )
    const message = new Uint8Array(1)
    expect(verify(message, sign(pair, message), pair.publicKey)).toBe(true)
  })
})

describe('addresses', () => {
  test('match the published address of a development key', () => {
    expect(addressOf(pair.publicKey)).toBe('5DtDLm5rQHShDqojQpsvcN8tRXHVFaecfDoRet1SU6BFD9Fi')
  })

  test('round-trip with their public keys', () => {
    fc.assert(
      fc.property(bytes(32), (key) => {
        expect(publicKeyOf(addressOf(key))).toEqual(key)
      }),
    )
  })

  test('are rejected when one letter is changed', () => {
    const letters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
    fc.assert(
      fc.property(bytes(32), fc.nat({ max: 47 }), fc.constantFrom(...letters), (key, at, letter) => {
        const address = addressOf(key)
        fc.pre(address[at] !== letter)
        expect(publicKeyOf(address.slice(0, at) + letter + address.slice(at + 1))).toBeUndefined()
      }),
    )
  })

  test('are never found in other text, without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => publicKeyOf(text) === undefined))
    expect(publicKeyOf(`0x${'11'.repeat(32)}`)).toBeUndefined()
  })
})
