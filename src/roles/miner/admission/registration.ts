import type { Metagraph, Neuron, Subtensor } from '../../../chain/index.js'
import { type Clock, every, type Log } from '../../../kernel/index.js'

/** A metagraph older than this admits no one. */
const EXPIRY_MS = 2 * 60 * 60 * 1000

/** An unknown caller may have registered just now, which justifies a refresh, but not one for each of its requests. */
const EARLY_REFRESH_MS = 30_000

export interface RegistrationWatchOptions {
  readonly subtensor: Subtensor
  readonly netuid: number
  readonly hotkey: string
  readonly refreshMs: number
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** What is known of a registered hotkey to decide whether it may call. */
export type CallerStanding = Pick<Neuron, 'uid' | 'hotkey' | 'stakeTao' | 'validatorPermit'>

/** Who is registered on the subnet, by the last metagraph. */
export interface Registered {
  find(hotkey: string): CallerStanding | undefined
  /** The metagraph is too old to trust. */
  isExpired(): boolean
  /** Refreshes now unless the last attempt is recent: a caller was unknown or below the minimum stake. */
  refreshSoon(): void
}

/** The registration of this miner, and of its callers. */
export interface RegistrationWatch extends Registered {
  /** All registered neurons; a new list after each refresh. */
  neurons(): readonly Neuron[]
  /** This miner; undefined once its hotkey has been deregistered. */
  self(): Neuron | undefined
  /** Why the last attempt to read the metagraph failed; undefined when it succeeded. */
  failure(): unknown
}

/** Reads the metagraph once, then keeps it fresh until the signal aborts. @throws what Subtensor.metagraph throws. */
export async function watchRegistration(options: RegistrationWatchOptions): Promise<RegistrationWatch> {
  const { subtensor, netuid, hotkey, clock, log, signal } = options
  let metagraph: Metagraph = await subtensor.metagraph(netuid, signal)
  let readAt = clock.monotonic()
  let triedAt = readAt
  let isReading = false
  let lastError: unknown

  const logStanding = standingLog(log, hotkey)
  const refresh = async () => {
    if (isReading) return
    isReading = true
    triedAt = clock.monotonic()
    try {
      metagraph = await subtensor.metagraph(netuid, signal)
      readAt = clock.monotonic()
      lastError = undefined
      logStanding(metagraph)
    } finally {
      isReading = false
    }
  }
  const warn = (error: unknown) => {
    lastError = error
    const ageSeconds = Math.round((clock.monotonic() - readAt) / 1000)
    log.warn({ event: 'metagraph-refresh-failed', err: error, ageSeconds }, 'could not refresh the metagraph')
  }
  logStanding(metagraph)
  void every(clock, options.refreshMs, signal, refresh, warn)
  return {
    find: (key) => metagraph.find(key),
    neurons: () => metagraph.neurons,
    self: () => metagraph.find(hotkey),
    failure: () => lastError,
    isExpired: () => clock.monotonic() - readAt > EXPIRY_MS,
    refreshSoon: () => {
      // Since the last attempt, not the last success: strangers must not be able to flood the chain endpoint.
      if (!isReading && clock.monotonic() - triedAt >= EARLY_REFRESH_MS) void refresh().catch(warn)
    },
  }
}

/** Logs the miner's registration and standing after each read: at info when they differ from the last, otherwise at debug. */
function standingLog(log: Log, hotkey: string): (metagraph: Metagraph) => void {
  let last = ''
  return (metagraph) => {
    const self = metagraph.find(hotkey)
    if (self === undefined) {
      last = ''
      const next = `Register it again: btcli subnets register --netuid ${metagraph.netuid}`
      log.error({ event: 'hotkey-deregistered', hotkey, next }, 'this hotkey is no longer registered')
      return
    }
    const { uid, stakeTao, incentive, consensus, emissionRao } = self
    const standing = { uid, stakeTao, incentive, consensus, emissionRao }
    const now = Object.values(standing).join(' ')
    log[now === last ? 'debug' : 'info'](
      { event: 'registration-status', block: metagraph.block, ...standing },
      'current registration, stake and incentive',
    )
    last = now
  }
}
