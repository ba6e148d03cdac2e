import { fetch } from 'undici'
import { connectSubtensor, type Subtensor } from '../chain/index.js'
import { addressOf, initSr25519, isAbort, pairFromSeed, TargonError, withDeadline } from '../kernel/index.js'
import { createLogger } from '../telemetry/index.js'
import { deriveSecret } from './cast.js'
import { HOTKEY_NAMES, openFolder } from './folders.js'
import { Network, type NetworkDeps } from './network.js'
import type { SelfCommand } from './processes.js'
import { composeSnapshot, type Snapshot } from './snapshot.js'
import { type ValidatorStatus, validatorStatus } from './status.js'

export interface LocalnetOptions {
  readonly self: SelfCommand
  readonly env: Readonly<Record<string, string>>
  /** Undefined runs in a temporary folder. */
  readonly dir: string | undefined
  readonly seed: string
  readonly blockTimeMs: number
  readonly epochBlocks: number
  readonly chainPort: number
  /** Undefined runs until the signal aborts. */
  readonly epochs: number | undefined
}

export interface LocalnetDeps extends NetworkDeps {
  readonly onSnapshot: (snapshot: Snapshot) => void
}

const NETUID = 4
const REFRESH_MS = 500
const STATUS_TIMEOUT_MS = 5_000
/** A validator that has not answered for this long is taken for hung; a busy machine is given its time. */
const STATUS_PATIENCE_MS = 60_000
/** Epochs of patience beyond the ones asked for before a run counts as stuck. */
const SPARE_EPOCHS = 3

/**
 * Runs the whole subnet until `epochs` vectors of weights stand on chain, or until the signal aborts.
 *
 * @returns the last look at it; undefined when it was stopped before it had come up.
 * @throws TargonError LOCALNET_PROCESS_DIED when a part dies, LOCALNET_STUCK when the weights do not come.
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
    // Ctrl-C while it comes up is an end like any other
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
  const leaving = new AbortController()
  const signal = AbortSignal.any([deps.signal, leaving.signal])
  const subtensor = await connectSubtensor(
    { endpoints: [network.places.chainUrl] },
    {
      clock: deps.clock,
      log: createLogger({ level: 'silent', base: {}, pretty: false, secrets: [] }),
      signal,
    },
  )
  try {
    const watch = new Watch(network, subtensor, options.seed, deps)
    return await Promise.race([watch.run(options), network.death])
  } finally {
    leaving.abort()
    await subtensor.close()
  }
}

/** Reads chain and validator again and again and counts the epochs whose weights stand on chain. */
class Watch {
  readonly #addresses: readonly string[]
  readonly #setBlocks = new Set<number>()
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
      const snapshot = await this.#look()
      const isDone = options.epochs !== undefined && snapshot.epochs >= options.epochs
      // chain and validator are read one after the other: an epoch counts when both tell of the same weights
      if (isDone && (agreesOnWeights(snapshot) || snapshot.block > lastBlock)) return snapshot
      if (snapshot.block > lastBlock) throw stuckError(snapshot, options.epochs)
      try {
        await this.deps.clock.sleep(REFRESH_MS, this.deps.signal)
      } catch {
        return this.#last ?? snapshot
      }
    }
  }

  async #look(): Promise<Snapshot> {
    const [status, metagraph, weights] = await Promise.all([
      this.#readStatus(),
      this.subtensor.metagraph(NETUID),
      this.subtensor.weightsOf(NETUID, 0),
    ])
    // the chain stamps LastUpdate at registration too: only an update with weights in storage is an epoch done
    const lastUpdate = metagraph.neurons[0]?.lastUpdateBlock ?? 0
    if (weights.length > 0 && lastUpdate > 0) this.#setBlocks.add(lastUpdate)
    this.#last = composeSnapshot({
      block: this.subtensor.head().number,
      epochs: this.#setBlocks.size,
      addresses: this.#addresses,
      status,
      weights,
    })
    this.deps.onSnapshot(this.#last)
    return this.#last
  }

  /** @returns the last status the validator gave; undefined before its first. */
  async #readStatus(): Promise<ValidatorStatus | undefined> {
    const url = this.network.validatorUrl
    if (url === undefined) return undefined
    const { clock } = this.deps
    try {
      const text = await withDeadline(
        clock,
        'The validator’s status',
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
    `The localnet reached block ${snapshot.block} with ${snapshot.epochs} of ${epochs} epochs of weights on chain.`,
    {
      code: 'LOCALNET_STUCK',
      fault: 'runtime',
      next: 'Run its parts in terminals of their own (--only chain,engine; see the README) and read what the validator logs.',
      facts: { block: snapshot.block, epochs: snapshot.epochs, rounds: snapshot.validator.rounds },
    },
  )
}
