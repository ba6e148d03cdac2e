import { initSr25519, pairFromSeed } from '../kernel/index.js'
import { deriveSecret } from './cast.js'
import { type DevelopmentChain, startDevelopmentChain } from './chain/index.js'
import { HOTKEY_NAMES } from './folders.js'

/** Well above the stake a miner asks of its callers (10,000 TAO). */
const VALIDATOR_STAKE_TAO = 100_000

/** The development chain with the subnet of the cast: the validator with stake and permit is uid 0. */
export async function startSubnetChain(
  plan: {
    readonly port: number
    readonly seed: string
    readonly blockTimeMs: number
    readonly epochBlocks: number
  },
  onError: (error: unknown) => void,
): Promise<DevelopmentChain> {
  await initSr25519()
  const publicKeyOf = (name: string) => pairFromSeed(deriveSecret(plan.seed, name)).publicKey
  const coldkey = publicKeyOf('coldkey')
  const neurons = HOTKEY_NAMES.map((name, uid) => ({
    hotkey: publicKeyOf(name),
    coldkey,
    ...(uid === 0 ? { stakeTao: VALIDATOR_STAKE_TAO, validatorPermit: true } : {}),
  }))
  const { port, blockTimeMs, epochBlocks: tempo } = plan
  return await startDevelopmentChain(
    { port, tempo, blockTimeMs, allowLoopbackAxon: true, neurons },
    { onError },
  )
}
