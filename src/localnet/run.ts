import { connectSubtensor } from '../chain/index.js'
import { addressOf, initSr25519, pairFromSeed } from '../kernel/index.js'
import { createLogger } from '../telemetry/index.js'
import { type Snapshot, Watch } from './board/index.js'
import {
  deriveSecret,
  hotkeyNames,
  LOCALNET_MODELS,
  Network,
  type NetworkDeps,
  openFolder,
  type SelfCommand,
} from './network/index.js'
import { serveLocalnetPage } from './serve-page.js'
import { runUsers, type Users } from './users/index.js'

/** Users who ask at the same time; a small machine runs all miners too. */
const USERS = 2

export interface LocalnetOptions {
  readonly self: SelfCommand
  readonly env: Readonly<Record<string, string>>
  /** Undefined: a temporary folder. */
  readonly dir: string | undefined
  readonly seed: string
  readonly blockTimeMs: number
  readonly epochBlocks: number
  readonly chainPort: number
  /** Behaviours of further miners: names of the development engine's catalogue. */
  readonly cheats: readonly string[]
  /** Which of the cast's miners run, by name; empty: all. */
  readonly miners: readonly string[]
  /** Whether a hub and its users run too. */
  readonly hub: boolean
  /** Undefined: run until the signal aborts. */
  readonly epochs: number | undefined
}

export interface LocalnetDeps extends NetworkDeps {
  readonly onSnapshot: (snapshot: Snapshot) => void
  /** Called with the last snapshot, if there is one, before the processes are stopped, which may take seconds. */
  readonly onEnd: (last: Snapshot | undefined) => void
}

/**
 * Runs the whole subnet until the validator has set weights in `epochs` epochs, or until the signal aborts, which is not
 * an error.
 *
 * @returns the last snapshot; undefined when the run was stopped before the first.
 * @throws TargonError LOCALNET_CHEATS, LOCALNET_PROCESS_DIED when a process dies, LOCALNET_STUCK when no weights appear on chain.
 */
export async function runLocalnet(
  options: LocalnetOptions,
  deps: LocalnetDeps,
): Promise<Snapshot | undefined> {
  await initSr25519()
  const folder = await openFolder(options.dir)
  let last: Snapshot | undefined
  const onSnapshot = (snapshot: Snapshot) => {
    last = snapshot
    deps.onSnapshot(snapshot)
  }
  try {
    const network = await Network.start({ ...options, folder: folder.path }, deps)
    try {
      const page = await openPage(network, deps, () => last)
      const users = startUsers(network, options, deps)
      try {
        await watchNetwork(network, users, options, { ...deps, onSnapshot }).catch((error: unknown) => {
          if (!deps.signal.aborted) throw error
        })
      } finally {
        await users?.stop()
        await page.close()
      }
      deps.onEnd(last)
    } finally {
      await network.stop()
    }
    return last
  } catch (error) {
    // Ctrl-C in a terminal reaches every process of the network, so any of them may be reported as dead
    if (!deps.signal.aborted) throw error
    deps.onEnd(last)
    return last
  } finally {
    await folder.release()
  }
}

interface RunningUsers extends Pick<Users, 'counts'> {
  stop(): Promise<void>
}

/** Undefined without a hub. */
function startUsers(
  { hub }: Network,
  { seed }: LocalnetOptions,
  { clock, signal }: LocalnetDeps,
): RunningUsers | undefined {
  if (!hub) return undefined
  const end = new AbortController()
  const options = { hubUrl: hub.url, apiKey: hub.apiKey, seed, models: LOCALNET_MODELS, concurrent: USERS }
  const users = runUsers(options, { clock, signal: AbortSignal.any([signal, end.signal]) })
  return {
    counts: users.counts,
    stop: async () => {
      end.abort()
      await users.done
    },
  }
}

async function openPage(
  network: Network,
  { clock, onProgress }: LocalnetDeps,
  last: () => Snapshot | undefined,
) {
  const { chainUrl } = network.places
  const { validatorUrl, hub } = network
  const pages = { chainUrl, validatorUrl, hub, minerUrlOf: (name: string) => network.minerUrlOf(name) }
  const page = await serveLocalnetPage(pages, last, { clock, log: silentLog() })
  onProgress(`page of this subnet: ${page.url}/`)
  return page
}

function silentLog() {
  return createLogger({
    level: 'silent',
    base: {},
    pretty: false,
    secrets: [],
    destination: { write: () => {} },
  })
}

async function watchNetwork(
  network: Network,
  users: RunningUsers | undefined,
  options: LocalnetOptions,
  deps: LocalnetDeps,
): Promise<void> {
  const done = new AbortController()
  const subtensor = await connectSubtensor(
    { endpoints: [network.places.chainUrl] },
    {
      clock: deps.clock,
      log: silentLog(),
      signal: AbortSignal.any([deps.signal, done.signal]),
    },
  )
  const addresses = hotkeyNames(network.cast).map((name) =>
    addressOf(pairFromSeed(deriveSecret(options.seed, name)).publicKey),
  )
  try {
    const { validatorUrl } = network
    const hub = network.hub && users && { statusUrl: network.hub.statusUrl, users: users.counts }
    const watch = new Watch(
      { ...options, addresses, cast: network.cast },
      { ...deps, chain: subtensor, validatorUrl, hub },
    )
    await Promise.race([watch.run(), network.death])
  } finally {
    done.abort()
    await subtensor.close()
  }
}
