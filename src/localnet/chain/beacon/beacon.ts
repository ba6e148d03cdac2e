import { sha256 } from '@noble/hashes/sha2'
import { utf8 } from '../scale/index.js'
import { equalPairings, G1, G2, pairing, roundPoint, scalarOf } from './curve.js'

export interface Pulse {
  readonly round: bigint
  /** SHA-256 of the signature. */
  readonly randomness: Uint8Array
  /** 48 bytes, a compressed point of G1. */
  readonly signature: Uint8Array
}

/** Rounds have the numbers and times of drand quicknet (one every 3 s), but another key signs them. */
export const QUICKNET_GENESIS_SECONDS = 1_692_803_367

const SEED = 'targon development beacon'

/**
 * A randomness beacon like drand quicknet, which signs the pulses that time-locked commits wait for. Its key is derived
 * from a public constant: never use it outside a development chain.
 */
export class DevelopmentBeacon {
  readonly periodSeconds: number
  readonly genesisSeconds = QUICKNET_GENESIS_SECONDS
  readonly #secret = scalarOf(sha256(utf8(SEED)))
  /** 96 bytes, a compressed point of G2. */
  readonly publicKey = G2.BASE.multiply(this.#secret).toBytes(true)

  constructor(periodSeconds: number) {
    this.periodSeconds = periodSeconds
  }

  /** The latest round published at a time. Round 1 is published at genesis. */
  roundAt(nowMs: number): bigint {
    const elapsed = nowMs / 1000 - this.genesisSeconds
    return BigInt(Math.max(0, Math.floor(elapsed / this.periodSeconds) + 1))
  }

  pulseOf(round: bigint): Pulse {
    const signature = roundPoint(round).multiply(this.#secret).toBytes(true)
    return { round, randomness: sha256(signature), signature }
  }
}

/** Whether the signature of a round was made with the beacon's key. */
export function verifyPulse(publicKey: Uint8Array, round: bigint, signature: Uint8Array): boolean {
  try {
    const point = G1.fromHex(Buffer.from(signature).toString('hex'))
    const key = G2.fromHex(Buffer.from(publicKey).toString('hex'))
    return equalPairings(pairing(point, G2.BASE), pairing(roundPoint(round), key))
  } catch {
    return false
  }
}
