import { z } from 'zod'
import { type Clock, initSr25519, withDeadline } from '../kernel/index.js'
import { createAddressBook } from './address-book.js'
import { watchClockOffset } from './clock-offset.js'
import { readWeightRules, type WeightRules } from './hyperparameters.js'
import { readHead } from './link.js'
import { readMetagraph } from './metagraph.js'
import { refusal } from './refusal.js'
import { askSecondOpinion } from './second-opinion.js'
import { announceAxon, readStoredAxon } from './serve-axon.js'
import { type ChainLog, openSession } from './session.js'
import { readWeightsStatus, submitWeights, type WeightsRequest } from './set-weights.js'
import { createSubmitter } from './submitter.js'
import { createTrustedMetagraph } from './trusted-metagraph.js'
import type { BlockHead, ChainSigner, SetWeightsResult, Subtensor, SubtensorOptions } from './types.js'
import type { WeightsChain } from './weights-pipeline.js'

/** The chain client itself: what roles need, and what the weights pipeline needs beyond it. */
export interface SubtensorClient extends Subtensor, WeightsChain {
  /** What the subnet asks of a vector of weights now. */
  weightRules(netuid: number, signal?: AbortSignal): Promise<WeightRules>
  setWeights(signer: ChainSigner, weights: WeightsRequest, signal?: AbortSignal): Promise<SetWeightsResult>
}

export interface SubtensorDeps {
  readonly clock: Clock
  readonly log: ChainLog
  readonly signal: AbortSignal
}

/** SDK version the axon is announced with, free-form on chain (bittensor 8.5.1 as an integer). */
const AXON_VERSION = 8_005_001

const weightsSchema = z.array(z.tuple([z.number(), z.number()]))

/**
 * Connects to the first endpoint that answers and keeps the connection alive from then on.
 *
 * @throws TargonError CHAIN_UNREACHABLE (fault unreachable), CHAIN_WRONG_NETWORK (fault chain).
 */
export async function connectSubtensor(
  options: SubtensorOptions,
  deps: SubtensorDeps,
): Promise<SubtensorClient> {
  await initSr25519()
  const { clock, log } = deps
  const rpcTimeoutMs = options.rpcTimeoutMs ?? 20_000
  const inclusionTimeoutMs = options.inclusionTimeoutMs ?? 120_000
  const session = await openSession({
    endpoints: options.endpoints,
    genesisHash: options.genesisHash,
    rpcTimeoutMs,
    headTimeoutMs: options.headTimeoutMs ?? 60_000,
    firstConnectMs: options.firstConnectMs,
    clock,
    log,
    signal: deps.signal,
  })
  const { genesisHash } = session.link.runtime
  const submitter = createSubmitter({
    endpoints: () => {
      const current = session.link.rpc.endpoint
      return [current, ...options.endpoints.filter((endpoint) => endpoint !== current)]
    },
    genesisHash,
    rpcTimeoutMs,
    inclusionTimeoutMs,
    clock,
    log,
  })
  const addresses = createAddressBook()
  const metagraphs = createTrustedMetagraph({
    session,
    endpoints: options.endpoints,
    rpcTimeoutMs,
    clock,
    log,
    async read(link, netuid, signal) {
      const best = await readHead(link, 'best', { signal })
      const at = { blockHash: best.hash, ...(signal ? { signal } : {}) }
      return readMetagraph(link.runtime, { netuid, block: best.number, at, addresses, now: clock.now() })
    },
  })
  const clockOffsetMs = watchClockOffset({ session, clock, log, signal: deps.signal })
  const head = (): BlockHead => session.heads.latest ?? { number: 0, hash: genesisHash }

  return {
    get endpoint() {
      return session.link.rpc.endpoint
    },
    genesisHash,
    get specVersion() {
      return session.link.runtime.specVersion
    },
    get reconnects() {
      return session.reconnects
    },
    get clockOffsetMs() {
      return clockOffsetMs()
    },
    head,
    blocks: (signal) => session.heads.read(AbortSignal.any([signal, deps.signal])),
    metagraph: (netuid, signal) => metagraphs.read(netuid, signal),
    serveAxon: (signer, axon, signal) =>
      announceAxon(
        submitter,
        signer,
        axon,
        AXON_VERSION,
        () => session.use((link) => readStoredAxon(link, axon.netuid, signer.address, signal), signal),
        signal,
      ),
    setWeights: async (signer, weights, signal) => {
      const opinion = await askSecondOpinion(
        { session, endpoints: options.endpoints, rpcTimeoutMs, clock, log },
        weights.netuid,
        signer.address,
        signal,
      )
      if (opinion.kind === 'differs') {
        log.error({ event: 'chain-endpoints-differ', ...opinion }, 'chain endpoints disagree: weights paused')
        return { kind: 'refused', refusal: refusal('endpoints-differ', `${opinion.what} differs`) }
      }
      return submitWeights(
        { session, submitter, clock, confirmTimeoutMs: inclusionTimeoutMs, lastMetagraph: metagraphs.last },
        signer,
        weights,
        signal,
      )
    },
    weightsStatus: (netuid, hotkey, signal) =>
      session.use((link) => readWeightsStatus(link, netuid, hotkey, signal), signal),
    weightRules: (netuid, signal) =>
      session.use(async (link) => {
        const best = await readHead(link, 'best', { signal })
        return readWeightRules(link.runtime, netuid, { blockHash: best.hash, ...(signal ? { signal } : {}) })
      }, signal),
    weightsOf: (netuid, uid, signal) =>
      session.use(async (link) => {
        const best = await readHead(link, 'best', { signal })
        const stored = await link.runtime.read('Weights', [netuid, uid], {
          blockHash: best.hash,
          ...(signal ? { signal } : {}),
        })
        return weightsSchema.parse(stored).map(([target, weightU16]) => ({ uid: target, weightU16 }))
      }, signal),
    close: () =>
      withDeadline(clock, 'Closing the chain connection', rpcTimeoutMs, undefined, () => session.close()),
  }
}
