import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '@noble/hashes/sha2'
import { describe, expect, test } from 'vitest'
import {
  DevelopmentBeacon,
  decryptTimelock,
  verifyPulse,
} from '../../../../src/localnet/chain/beacon/index.js'
import { encryptTimelock } from '../timelock.js'

const folder = process.env.TARGON_CONFORMANCE_DIR
const dataFile = (name: string) => join(folder ?? '', 'chain', name)
const hasData = folder !== undefined && existsSync(dataFile('tle-vectors.json'))
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

describe('DevelopmentBeacon', () => {
  const beacon = new DevelopmentBeacon(3)

  test('numbers rounds like quicknet', () => {
    const genesisMs = beacon.genesisSeconds * 1000
    expect(beacon.roundAt(genesisMs - 1)).toBe(0n)
    expect(beacon.roundAt(genesisMs)).toBe(1n)
    expect(beacon.roundAt(genesisMs + 2999)).toBe(1n)
    expect(beacon.roundAt(genesisMs + 3000)).toBe(2n)
  })

  test('signs a round with a signature that verifies for that round only', () => {
    const { signature, randomness } = beacon.pulseOf(1000n)
    expect(verifyPulse(beacon.publicKey, 1000n, signature)).toBe(true)
    expect(verifyPulse(beacon.publicKey, 1001n, signature)).toBe(false)
    expect(Buffer.from(randomness)).toEqual(Buffer.from(sha256(signature)))
  })

  test('decrypts a ciphertext with the signature of its round only', () => {
    const plain = new TextEncoder().encode('weights of an epoch')
    const locked = encryptTimelock(plain, 77n, beacon.publicKey)
    expect(Buffer.from(decryptTimelock(locked, beacon.pulseOf(77n).signature))).toEqual(Buffer.from(plain))
    expect(() => decryptTimelock(locked, beacon.pulseOf(78n).signature)).toThrow()
  })

  test('rejects a truncated or modified ciphertext', () => {
    const { signature } = beacon.pulseOf(77n)
    const locked = encryptTimelock(new Uint8Array([1, 2, 3]), 77n, beacon.publicKey)
    expect(() => decryptTimelock(locked.slice(0, -20), signature)).toThrow()
    const flipped = locked.slice()
    flipped[170] = (flipped[170] ?? 0) ^ 1
    expect(() => decryptTimelock(flipped, signature)).toThrow()
  })
})

describe.skipIf(!hasData)('recorded drand data (needs TARGON_CONFORMANCE_DIR)', () => {
  test('verifies real quicknet pulses', () => {
    const data = JSON.parse(readFileSync(dataFile('drand-quicknet-pulses.json'), 'utf8'))
    expect(data.pulses.length).toBeGreaterThan(0)
    for (const pulse of data.pulses) {
      const verified = verifyPulse(bytesOf(data.public_key), BigInt(pulse.round), bytesOf(pulse.signature))
      expect(verified).toBe(true)
    }
  })

  test('decrypts ciphertexts of two other implementations', () => {
    const data = JSON.parse(readFileSync(dataFile('tle-vectors.json'), 'utf8'))
    for (const ciphertext of [data.noble_ct, data.ark_ct]) {
      const plain = decryptTimelock(bytesOf(ciphertext), bytesOf(data.signature))
      expect(new TextDecoder().decode(plain)).toBe(data.plaintext_utf8)
    }
  })
})
