import { z } from 'zod'
import { initSr25519, withDeadline } from '../kernel/index.js'
import { watchClockOffset } from './clock-offset.js'
import type { SubtensorOptions } from './context.js'
import { type ChainContext, createChainContext, type SubtensorDeps } from './context.js'
import { readWeightRules } from './hyperparameters.js'
import { type Link, readHead } from './link.js'
import { createAddressBook, readMetagraph } from './metagraph.js'
import type { ServeAxonResult } from './outcomes.js'
import { refusal } from './refusal.js'
import type { ReadAt } from './runtime.js'
import { checkSecondEndpoint } from './second-endpoint-check.js'
import { type AxonAddress, announceAxon, readStoredAxon } from './serve-axon.js'
import { openSession, type Session } from './session.js'
import { readWeightsStatus, submitWeights } from './set-weights.js'
import { Submitter } from './submitter.js'
import { TrustedMetagraphs } from './trusted-metagraphs.js'
import type { BlockHead, ChainSigner, Metagraph } from './types.js'
import type { WeightsChain } from './weights-pipeline.js'
import type {
  SetWeightsResult,
  WeightEntry,
  WeightRules,
  WeightsRequest,
  WeightsStatus,
} from './weights-types.js'

/**
 * The chain client of a node. Every call has a deadline and honours the signal.
 *
 * @throws TargonError CHAIN_UNREACHABLE (fault unreachable) when no endpoint responds in time.
 */
export interface Subtensor {
  readonly endpoint: string
  readonly genesisHash: string
  readonly specVersion: number
  /** How often the connection was replaced. */
  readonly reconnects: number
  /** Milliseconds by which the local clock is at least ahead of the chain, negative if behind; 0 while they agree. */
  readonly clockOffsetMs: number
  head(): BlockHead
  /** New heads with strictly increasing numbers: gaps are possible, repeats and re-orgs are hidden. Ends with the signal. */
  blocks(signal: AbortSignal): AsyncIterable<BlockHead>
  /** @throws TargonError CHAIN_IMPLAUSIBLE when it cannot follow from the previous one, which then stays in use. */
  metagraph(netuid: number, signal?: AbortSignal): Promise<Metagraph>
  /** Announces the address unless the chain already has it. */
  serveAxon(
    signer: ChainSigner,
    axon: { netuid: number; ip: string; port: number },
    signal?: AbortSignal,
  ): Promise<ServeAxonResult>
  /** Converts scores to u16 weights, submits them directly or as a commit, as the chain requires, and confirms them. */
  setWeights(
    signer: ChainSigner,
    weights: { netuid: number; uids: readonly number[]; scores: readonly number[]; versionKey: number },
    signal?: AbortSignal,
  ): Promise<SetWeightsResult>
  /** The weights the chain stores for validator `uid`. */
  weightsOf(netuid: number, uid: number, signal?: AbortSignal): Promise<readonly WeightEntry[]>
  close(): Promise<void>
}

/** The whole chain client: what roles need, and what the weights pipeline needs beyond that. */
export interface SubtensorClient extends Subtensor, WeightsChain {
  /** The subnet's current rules for weights. */
  weightRules(netuid: number, signal?: AbortSignal): Promise<WeightRules>
  setWeights(signer: ChainSigner, weights: WeightsRequest, signal?: AbortSignal): Promise<SetWeightsResult>
}

/** SDK version announced with the axon, free-form on chain (bittensor 8.5.1 as an integer). */
const AXON_VERSION = 8_005_001

const weightsSchema = z.array(z.tuple([z.number(), z.number()]))

/**
 * Connects to the first endpoint that responds and keeps the connection alive from then on.
 *
 * @throws TargonError CHAIN_UNREACHABLE (fault unreachable), CHAIN_WRONG_NETWORK (fault chain).
 */
export async function connectSubtensor(
  options: SubtensorOptions,
  deps: SubtensorDeps,
): Promise<SubtensorClient> {
  await initSr25519()
  const context = createChainContext(options, deps)
  return new SessionClient(context, await openSession(context))
}

class SessionClient implements SubtensorClient {
  readonly genesisHash: string
  readonly #context: ChainContext
  readonly #session: Session
  readonly #submitter: Submitter
  readonly #metagraphs: TrustedMetagraphs
  readonly #readMetagraph: (
    link: Link,
    netuid: number,
    head: BlockHead,
    signal?: AbortSignal,
  ) => Promise<Metagraph>
  readonly #clockOffset: () => number

  constructor(context: ChainContext, session: Session) {
    const addresses = createAddressBook()
    this.genesisHash = session.link.runtime.genesisHash
    this.#context = context
    this.#session = session
    this.#submitter = new Submitter({ ...context, genesisHash: this.genesisHash }, session)
    this.#readMetagraph = (link, netuid, { number: block, hash: blockHash }, signal) => {
      const at = { blockHash, ...(signal ? { signal } : {}) }
      return readMetagraph(link.runtime, { netuid, block, at, addresses, now: context.clock.now() })
    }
    this.#metagraphs = new TrustedMetagraphs(context, session, async (link, netuid, signal) =>
      this.#readMetagraph(link, netuid, await readHead(link, 'best', { signal }), signal),
    )
    this.#clockOffset = watchClockOffset(context, session)
  }

  get endpoint(): string {
    return this.#session.link.rpc.endpoint
  }

  get specVersion(): number {
    return this.#session.link.runtime.specVersion
  }

  get reconnects(): number {
    return this.#session.reconnects
  }

  get clockOffsetMs(): number {
    return this.#clockOffset()
  }

  head(): BlockHead {
    return this.#session.heads.latest ?? { number: 0, hash: this.genesisHash }
  }

  blocks(signal: AbortSignal): AsyncIterable<BlockHead> {
    return this.#session.heads.read(AbortSignal.any([signal, this.#context.signal]))
  }

  metagraph(netuid: number, signal?: AbortSignal): Promise<Metagraph> {
    return this.#metagraphs.read(netuid, signal)
  }

  serveAxon(signer: ChainSigner, axon: AxonAddress, signal?: AbortSignal): Promise<ServeAxonResult> {
    const readStored = () =>
      this.#session.use((link) => readStoredAxon(link, axon.netuid, signer.address, signal), signal)
    return announceAxon(this.#submitter, signer, axon, AXON_VERSION, readStored, signal)
  }

  async setWeights(
    signer: ChainSigner,
    weights: WeightsRequest,
    signal?: AbortSignal,
  ): Promise<SetWeightsResult> {
    const { netuid } = weights
    const comparison = await checkSecondEndpoint(this.#context, this.#session, {
      netuid,
      hotkey: signer.address,
      last: this.#metagraphs.last(netuid),
      readMetagraph: (link, block) => this.#readMetagraph(link, netuid, block, signal),
      signal,
    })
    if (comparison.kind === 'differs') {
      this.#context.log.error(
        { event: 'chain-endpoints-differ', ...comparison },
        'chain endpoints disagree: weights paused',
      )
      return { kind: 'refused', refusal: refusal('endpoints-differ', `${comparison.what} differs`) }
    }
    const deps = {
      context: this.#context,
      session: this.#session,
      submitter: this.#submitter,
      lastMetagraph: this.#metagraphs.last(netuid),
      agreedRules: comparison.kind === 'agrees' ? comparison.rules : undefined,
    }
    return submitWeights(deps, signer, weights, signal)
  }

  weightsStatus(netuid: number, hotkey: string, signal?: AbortSignal): Promise<WeightsStatus> {
    return this.#session.use((link) => readWeightsStatus(link, netuid, hotkey, signal), signal)
  }

  weightRules(netuid: number, signal?: AbortSignal): Promise<WeightRules> {
    return this.#session.use(async (link) => {
      const at = await readBestAt(link, signal)
      return readWeightRules(link.runtime, netuid, at)
    }, signal)
  }

  weightsOf(netuid: number, uid: number, signal?: AbortSignal): Promise<readonly WeightEntry[]> {
    return this.#session.use(async (link) => {
      const at = await readBestAt(link, signal)
      const stored = await link.runtime.read('Weights', [netuid, uid], at)
      return weightsSchema.parse(stored).map(([target, weightU16]) => ({ uid: target, weightU16 }))
    }, signal)
  }

  close(): Promise<void> {
    const { clock, rpcTimeoutMs } = this.#context
    return withDeadline(clock, 'Closing the chain connection', rpcTimeoutMs, undefined, () =>
      this.#session.close(),
    )
  }
}

async function readBestAt(link: Link, signal: AbortSignal | undefined): Promise<ReadAt> {
  const { hash } = await readHead(link, 'best', { signal })
  return { blockHash: hash, ...(signal ? { signal } : {}) }
}
