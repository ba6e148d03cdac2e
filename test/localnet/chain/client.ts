import { ApiPromise, WsProvider } from '@polkadot/api'
import type { ApiOptions, SubmittableExtrinsic } from '@polkadot/api/types'
import { Keyring } from '@polkadot/keyring'
import type { KeyringPair } from '@polkadot/keyring/types'
import type { ISubmittableResult } from '@polkadot/types/types'
import { initSr25519 } from '../../../src/kernel/sr25519.js'
import {
  type DevelopmentChain,
  type DevelopmentChainDeps,
  type DevelopmentChainOptions,
  startDevelopmentChain,
} from '../../../src/localnet/chain/index.js'

export const NETUID = 4

export interface TestNeuron {
  readonly hot: KeyringPair
  readonly cold: KeyringPair
}

export interface TestNetwork extends DevelopmentChain {
  readonly neurons: readonly TestNeuron[]
  readonly keyring: Keyring
}

/** A chain with `count` neurons, the first two of which are validators with 1000 and 999 TAO of stake. */
export async function startNetwork(
  { count = 4, ...options }: DevelopmentChainOptions & { readonly count?: number } = {},
  deps: DevelopmentChainDeps = {},
): Promise<TestNetwork> {
  await initSr25519()
  const keyring = new Keyring({ type: 'sr25519' })
  const neurons = Array.from({ length: count }, (_, uid) => ({
    hot: keyring.addFromSeed(new Uint8Array(32).fill(uid + 1)),
    cold: keyring.addFromSeed(new Uint8Array(32).fill(uid + 101)),
  }))
  const chain = await startDevelopmentChain(
    {
      sealing: 'manual',
      neurons: neurons.map(({ hot, cold }, uid) => ({
        hotkey: hot.publicKey,
        coldkey: cold.publicKey,
        stakeTao: uid < 2 ? 1000 - uid : 0,
        validatorPermit: uid < 2,
      })),
      ...options,
    },
    deps,
  )
  return { ...chain, neurons, keyring }
}

/** Connects a polkadot-js client without any configuration for this chain. */
export async function connect(url: string): Promise<ApiPromise> {
  const options: ApiOptions = { noInitWarn: true, throwOnConnect: true }
  // Assigned separately, because the provider's type conflicts with exactOptionalPropertyTypes.
  Object.assign(options, { provider: new WsProvider(url, 100) })
  return await ApiPromise.create(options)
}

export interface Outcome {
  /** The extrinsic's events as `section.Method`. */
  readonly events: readonly string[]
  /** The name of the dispatch error. */
  readonly error: string | undefined
  readonly statuses: readonly string[]
}

type Extrinsic = SubmittableExtrinsic<'promise'>

/** Signs and sends an extrinsic and produces the block that includes it. Rejects with the node's error text when the pool rejects it. */
export async function sendInBlock(
  network: DevelopmentChain,
  api: ApiPromise,
  extrinsic: Extrinsic,
  signer: KeyringPair,
): Promise<Outcome> {
  const statuses: string[] = []
  return await new Promise<Outcome>((resolve, reject) => {
    const onResult = (result: ISubmittableResult) => {
      statuses.push(result.status.type)
      if (result.status.isReady || result.status.isFuture) network.chain.produceBlock()
      else if (result.isError) reject(new Error(`status ${result.status.type}`))
      // A busy client can miss the inclusion when finality follows soon after.
      else if (result.status.isInBlock || result.status.isFinalized) resolve(outcomeOf(api, result, statuses))
    }
    extrinsic.signAndSend(signer, { nonce: -1 }, onResult).catch(reject)
  })
}

function outcomeOf(api: ApiPromise, result: ISubmittableResult, statuses: readonly string[]): Outcome {
  const failure = result.dispatchError
  const error = failure?.isModule ? api.registry.findMetaError(failure.asModule).name : failure?.toString()
  return {
    events: result.events.map(({ event }) => `${event.section}.${event.method}`),
    error,
    statuses: [...statuses],
  }
}

/** The text of the node's error, or `accepted`. */
export async function rejectionOf(sent: Promise<unknown>): Promise<string> {
  return await sent.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}
