import { z } from 'zod'
import { TargonError } from '../kernel/index.js'
import { FINNEY_GENESIS } from './networks.js'
import type { BeaconClock } from './reveal-round.js'
import type { ReadAt, Runtime } from './runtime.js'

/** A drand beacon, to whose rounds commits are locked. */
export interface Beacon extends BeaconClock {
  /** Compressed G2, 96 bytes. */
  readonly publicKey: Uint8Array
}

/** drand quicknet (chain 52db9ba7…), which Subtensor's drand pallet follows. */
export const QUICKNET: Beacon = {
  publicKey: Buffer.from(
    '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
    'hex',
  ),
  genesisSeconds: 1_692_803_367,
  periodSeconds: 3,
}

const configSchema = z.object({
  public_key: z.instanceof(Uint8Array).refine((key) => key.length === 96),
  period: z.number().int().positive(),
  genesis_time: z.number().int().nonnegative(),
})

/**
 * The beacon configured in the chain's drand pallet, or quicknet. The main network must use quicknet: an endpoint that
 * reports another key could decrypt the weights early.
 *
 * @throws TargonError CHAIN_BEACON (fault chain).
 */
export async function readBeacon(runtime: Runtime, at: ReadAt): Promise<Beacon> {
  const parsed = configSchema.safeParse(await runtime.read('BeaconConfig', [], { ...at, pallet: 'Drand' }))
  if (!parsed.success) return QUICKNET
  const { public_key: publicKey, period, genesis_time: genesis } = parsed.data
  if (runtime.genesisHash === FINNEY_GENESIS && !Buffer.from(publicKey).equals(QUICKNET.publicKey)) {
    throw new TargonError('The endpoint reports a randomness beacon other than drand quicknet.', {
      code: 'CHAIN_BEACON',
      fault: 'chain',
      next: 'Use another endpoint. If the network really changed its beacon, update this software.',
    })
  }
  return { publicKey, periodSeconds: period, genesisSeconds: genesis }
}
