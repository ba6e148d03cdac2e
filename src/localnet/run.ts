import { fetch } from 'undici'
import { connectSubtensor, type Subtensor } from '../chain/index.js'
import { addressOf, initSr25519, isAbort, pairFromSeed, TargonError, withDeadline } from '../kernel/index.js'
import { createLogger } from '../telemetry/index.js'
import { composeSnapshot, type Snapshot, type ValidatorStatus, validatorStatus } from './board/index.js'
import {
  deriveSecret,
  HOTKEY_NAMES,
  Network,
  type NetworkDeps,
  openFolder,
  type SelfCommand,
} from './network/index.js'

export interface LocalnetOptions {
  readonly self: SelfCommand
  readonly env: Readonly<Record<string, string>>
  /** Undefined: a temporary folder. */
  readonly dir: string | undefined
  readonly seed: string
  readonly blockTimeMs: number
  readonly epochBlocks: number
  readonly chainPort: number
  /** Undefined: run until the signal aborts. */
  readonly epochs: number | undefined
}

export interface LocalnetDeps extends NetworkDeps {
  readonly onSnapshot: (snapshot: Snapshot) => void
}

const NETUID = 4
const REFRESH_MS = 500
const STATUS_TIMEOUT_MS = 5_000
/** A validator that has not answered for this long counts as hung. Long, because a busy machine may be slow. */
const STATUS_PATIENCE_MS = 60_000
/** A run counts as stuck after this many epochs more than requested. */
const SPARE_EPOCHS = 3

/**
 * Runs the whole subnet until the validator has set weights in `epochs` epochs, or until the signal aborts.
 *
 * @returns the last snapshot; undefined when the run was stopped before every process was ready.
 * @throws TargonError LOCALNET_PROCESS_DIED when a process dies, LOCALNET_STUCK when no weights appear on chain.
 */
export async function runLocalnet(
  options: LocalnetOptions,
  deps: LocalnetDeps,
): Promise<Snapshot | undefined> {
  await initSr25519()
  const folder = await openFolder(options.dir)
  try {
    const network = await Network.start({ ...options, folder: folder.path }, deps)
    try {
      return await watchNetwork(network, options, deps)
    } finally {
      await network.stop()
    }
  } catch (error) {
    // Ctrl-C during the start is not an error
    if (deps.signal.aborted && isAbort(error)) return undefined
    throw error
  } finally {
    await folder.release()
  }
}

async function watchNetwork(
  network: Network,
  options: LocalnetOptions,
  deps: LocalnetDeps,
): Promise<Snapshot> {
  const done = new AbortController()
  const signal = AbortSignal.any([deps.signal, done.signal])
  const subtensor = await connectSubtensor(
    { endpoints: [network.places.chainUrl] },
    {
      clock: deps.clock,
      log: createLogger({
        level: 'silent',
        base: {},
        pretty: false,
        secrets: [],
        destination: { write: () => {} },
      }),
      signal,
    },
  )
  try {
    const watch = new Watch(network, subtensor, options.seed, deps)
    return await Promise.race([watch.run(options), network.death])
  } finally {
    done.abort()
    await subtensor.close()
  }
}

/** Polls chain and validator, and counts the epochs whose weights are on chain. */
class Watch {
  readonly #addresses: readonly string[]
  /** Blocks in which the validator set weights. */
  readonly #weightBlocks = new Set<number>()
  #last: Snapshot | undefined
  #status: ValidatorStatus | undefined
  #answeredAt: number

  constructor(
    private readonly network: Network,
    private readonly subtensor: Subtensor,
    seed: string,
    private readonly deps: LocalnetDeps,
  ) {
    this.#answeredAt = deps.clock.monotonic()
    this.#addresses = HOTKEY_NAMES.map((name) => addressOf(pairFromSeed(deriveSecret(seed, name)).publicKey))
  }

  async run(options: LocalnetOptions): Promise<Snapshot> {
    const lastBlock =
      options.epochs === undefined
        ? Number.POSITIVE_INFINITY
        : this.subtensor.head().number + (options.epochs + SPARE_EPOCHS) * options.epochBlocks
    for (;;) {
      const snapshot = await this.#poll()
      const isDone = options.epochs !== undefined && snapshot.epochs >= options.epochs
      // the two may be read on either side of an update: an epoch counts once both report the same weights
      if (isDone && (agreesOnWeights(snapshot) || snapshot.block > lastBlock)) return snapshot
      if (snapshot.block > lastBlock) throw stuckError(snapshot, options.epochs)
      try {
        await this.deps.clock.sleep(REFRESH_MS, this.deps.signal)
      } catch {
        return this.#last ?? snapshot
      }
    }
  }

  async #poll(): Promise<Snapshot> {
    const [status, metagraph, weights] = await Promise.all([
      this.#readStatus(),
      this.subtensor.metagraph(NETUID),
      this.subtensor.weightsOf(NETUID, 0),
    ])
    // the chain sets LastUpdate at registration too: without weights in storage it does not count as an epoch
    const lastUpdate = metagraph.neurons[0]?.lastUpdateBlock ?? 0
    if (weights.length > 0 && lastUpdate > 0) this.#weightBlocks.add(lastUpdate)
    this.#last = composeSnapshot({
      block: this.subtensor.head().number,
      epochs: this.#weightBlocks.size,
      addresses: this.#addresses,
      status,
      weights,
    })
    this.deps.onSnapshot(this.#last)
    return this.#last
  }

  /** @returns the validator's latest status; undefined before the first. */
  async #readStatus(): Promise<ValidatorStatus | undefined> {
    const url = this.network.validatorUrl
    if (url === undefined) return undefined
    const { clock } = this.deps
    try {
      const text = await withDeadline(
        clock,
        'Reading the validator’s status',
        STATUS_TIMEOUT_MS,
        undefined,
        async (signal) => {
          const response = await fetch(new URL('/status', url), { signal, redirect: 'error' })
          return await response.text()
        },
      )
      this.#status = validatorStatus.parse(JSON.parse(text))
      this.#answeredAt = clock.monotonic()
    } catch (error) {
      if (clock.monotonic() - this.#answeredAt > STATUS_PATIENCE_MS) throw error
    }
    return this.#status
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
