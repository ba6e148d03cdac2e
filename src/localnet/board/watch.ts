import { fetch } from 'undici'
import { z } from 'zod'
import type { Subtensor } from '../../chain/index.js'
import { type Clock, TargonError, withDeadline } from '../../kernel/index.js'
import type { CastMember } from '../network/index.js'
import type { UserCounts } from '../users/index.js'
import { composeSnapshot, type HubRow, type Snapshot } from './snapshot.js'
import { type ValidatorStatus, validatorStatus } from './validator-status.js'

export interface WatchOptions {
  /** Undefined: until the signal aborts. */
  readonly epochs: number | undefined
  readonly epochBlocks: number
  /** Hotkey addresses by uid. */
  readonly addresses: readonly string[]
  /** The miners, in the order of their uids from 1 on. */
  readonly cast: readonly CastMember[]
}

export interface WatchDeps {
  readonly clock: Clock
  /** Ends the watch, also in the middle of a read. */
  readonly signal: AbortSignal
  readonly chain: Pick<Subtensor, 'head' | 'metagraph' | 'weightsOf'>
  /** Base URL of the validator's status server. */
  readonly validatorUrl: string | undefined
  /** Undefined without a hub. */
  readonly hub?: WatchedHub | undefined
  readonly onSnapshot: (snapshot: Snapshot) => void
}

export interface WatchedHub {
  readonly statusUrl: string
  readonly users: () => UserCounts
}

/** The field of a hub's `GET /status` that the board shows. */
const hubStatus = z.object({ records: z.object({ rows: z.number().int() }) })

const NETUID = 4
const REFRESH_MS = 500
const STATUS_TIMEOUT_MS = 5_000
/** A validator that has not answered for this long counts as hung. Long, because a busy machine may be slow. */
const STATUS_PATIENCE_MS = 60_000
/** A run counts as stuck after this many epochs more than requested. */
const SPARE_EPOCHS = 3

/** Polls chain and validator, and counts the epochs whose weights are on chain. */
export class Watch {
  readonly #options: WatchOptions
  readonly #deps: WatchDeps
  /** Blocks in which the validator set weights. */
  readonly #weightBlocks = new Set<number>()
  #last: Snapshot | undefined
  #status: ValidatorStatus | undefined
  #answeredAt: number

  constructor(options: WatchOptions, deps: WatchDeps) {
    this.#options = options
    this.#deps = deps
    this.#answeredAt = deps.clock.monotonic()
  }

  /**
   * Watches until the validator has set weights in all epochs, or until the signal aborts.
   *
   * @returns the last snapshot; undefined when the signal aborted before the first.
   * @throws TargonError LOCALNET_STUCK when no weights appear on chain.
   */
  async run(): Promise<Snapshot | undefined> {
    const { signal } = this.#deps
    try {
      return await this.#runToEnd()
    } catch (error) {
      // whatever a read failed with, the stop ended it
      if (signal.aborted) return this.#last
      throw error
    }
  }

  async #runToEnd(): Promise<Snapshot> {
    const { epochs, epochBlocks } = this.#options
    const { chain, clock, signal } = this.#deps
    const lastBlock =
      epochs === undefined
        ? Number.POSITIVE_INFINITY
        : chain.head().number + (epochs + SPARE_EPOCHS) * epochBlocks
    for (;;) {
      const snapshot = await this.#poll()
      const isDone = epochs !== undefined && snapshot.epochs >= epochs
      // the two may be read on either side of an update: an epoch counts once both report the same weights
      if (isDone && (agreesOnWeights(snapshot) || snapshot.block > lastBlock)) return snapshot
      if (snapshot.block > lastBlock) throw stuckError(snapshot, epochs)
      await clock.sleep(REFRESH_MS, signal)
    }
  }

  async #poll(): Promise<Snapshot> {
    const { chain, signal } = this.#deps
    const [status, hub, metagraph, weights] = await Promise.all([
      this.#readStatus(),
      this.#readHub(),
      chain.metagraph(NETUID, signal),
      chain.weightsOf(NETUID, 0, signal),
    ])
    signal.throwIfAborted()
    // the chain sets LastUpdate at registration too: without weights in storage it does not count as an epoch
    const lastUpdate = metagraph.neurons[0]?.lastUpdateBlock ?? 0
    if (weights.length > 0 && lastUpdate > 0) this.#weightBlocks.add(lastUpdate)
    this.#last = composeSnapshot({
      block: chain.head().number,
      epochs: this.#weightBlocks.size,
      addresses: this.#options.addresses,
      cast: this.#options.cast,
      status,
      weights,
      hub,
    })
    this.#deps.onSnapshot(this.#last)
    return this.#last
  }

  /** @returns the validator's latest status; undefined before the first. */
  async #readStatus(): Promise<ValidatorStatus | undefined> {
    const { clock, validatorUrl: url } = this.#deps
    if (url === undefined) return undefined
    try {
      this.#status = validatorStatus.parse(await this.#fetchStatus('the validator’s status', url))
      this.#answeredAt = clock.monotonic()
    } catch (error) {
      if (clock.monotonic() - this.#answeredAt > STATUS_PATIENCE_MS) throw error
    }
    return this.#status
  }

  /** A hub that does not answer shows what it kept last; its users still count. */
  async #readHub(): Promise<HubRow | undefined> {
    const { hub, signal } = this.#deps
    if (!hub) return undefined
    const status = await this.#fetchStatus('the hub’s status', hub.statusUrl).catch((error: unknown) => {
      if (signal.aborted) throw error
    })
    const kept = hubStatus.safeParse(status).data?.records.rows ?? this.#last?.hub?.kept ?? 0
    return { ...hub.users(), kept }
  }

  #fetchStatus(what: string, url: string): Promise<unknown> {
    const { clock, signal } = this.#deps
    return withDeadline(clock, `Reading ${what}`, STATUS_TIMEOUT_MS, signal, async (inner) => {
      const response = await fetch(new URL('/status', url), { signal: inner, redirect: 'error' })
      return await response.json()
    })
  }
}

function agreesOnWeights({ miners, validator }: Snapshot): boolean {
  const submitted = new Map(validator.weights?.entries.map((entry) => [entry.uid, entry.weightU16]))
  return miners.every((miner) => (submitted.get(miner.uid) ?? 0) === miner.weightU16)
}

function stuckError(snapshot: Snapshot, epochs: number | undefined): TargonError {
  return new TargonError(
    `The localnet is stuck: weights of only ${snapshot.epochs} of ${epochs} epochs are on chain at block ${snapshot.block}.`,
    {
      code: 'LOCALNET_STUCK',
      fault: 'runtime',
      next: 'Run the roles in separate terminals (--only chain,engine; see the README) and read the validator’s log.',
      facts: { block: snapshot.block, epochs: snapshot.epochs, rounds: snapshot.validator.rounds },
    },
  )
}
