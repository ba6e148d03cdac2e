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

/** A chain with `count` neurons, of which the first two are validators with 1000 and 999 TAO. */
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

/** Connects an ordinary client; nothing about the chain is configured. */
export async function connect(url: string): Promise<ApiPromise> {
  const options: ApiOptions = { noInitWarn: true, throwOnConnect: true }
  // The provider's optional members are typed without undefined; Object.assign does not mind.
  Object.assign(options, { provider: new WsProvider(url, 100) })
  return await ApiPromise.create(options)
}

export interface Outcome {
  /** `section.Method` of the events of the extrinsic. */
  readonly events: readonly string[]
  /** Name of the dispatch error. */
  readonly error: string | undefined
  readonly statuses: readonly string[]
}

type Extrinsic = SubmittableExtrinsic<'promise'>

/** Signs, sends, makes a block and tells how it went. Rejects with the text of the node when the pool refuses. */
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
      // A busy client can miss the block when finality follows soon.
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

/** The text of the node's refusal. */
export async function refusalOf(sent: Promise<unknown>): Promise<string> {
  return await sent.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}
