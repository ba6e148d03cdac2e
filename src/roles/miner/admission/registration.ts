import type { Metagraph, Neuron, Subtensor } from '../../../chain/index.js'
import { type Clock, every, type Log } from '../../../kernel/index.js'

/** A picture of the subnet older than this lets nobody in any more. */
const EXPIRY_MS = 2 * 60 * 60 * 1000

/** An unknown caller may be a new one: worth a look at the chain, but not a look for each of its requests. */
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

/** Who is who on the subnet, as of the last few minutes. */
export interface RegistrationWatch {
  find(hotkey: string): Neuron | undefined
  /** Ourselves; undefined once the hotkey was deregistered. */
  self(): Neuron | undefined
  readonly block: number
  /** Too old to trust. */
  isExpired(): boolean
  /** Somebody unknown or below the minimum called: looks again soon if the last look is not recent. */
  refreshSoon(): void
}

/** Reads the metagraph once, then keeps it fresh until the signal aborts. @throws what Subtensor.metagraph throws. */
export async function watchRegistration(options: RegistrationWatchOptions): Promise<RegistrationWatch> {
  const { subtensor, netuid, hotkey, clock, log, signal } = options
  let metagraph: Metagraph = await subtensor.metagraph(netuid, signal)
  let readAt = clock.monotonic()
  let lookedAt = readAt
  let isReading = false

  const refresh = async () => {
    if (isReading) return
    isReading = true
    lookedAt = clock.monotonic()
    try {
      metagraph = await subtensor.metagraph(netuid, signal)
      readAt = clock.monotonic()
      report()
    } finally {
      isReading = false
    }
  }
  const warn = (error: unknown) => {
    const ageSeconds = Math.round((clock.monotonic() - readAt) / 1000)
    log.warn({ event: 'metagraph-refresh-failed', err: error, ageSeconds }, 'could not refresh the metagraph')
  }
  const report = () => {
    const self = metagraph.find(hotkey)
    if (self === undefined) {
      log.error(
        { event: 'hotkey-deregistered', hotkey, next: 'Register it again: btcli subnets register.' },
        'this hotkey is no longer registered',
      )
      return
    }
    const { uid, stakeTao, incentive, consensus, emissionRao } = self
    log.info(
      {
        event: 'registration-status',
        uid,
        block: metagraph.block,
        stakeTao,
        incentive,
        consensus,
        emissionRao,
      },
      'current registration, stake and incentive',
    )
  }
  report()
  void every(clock, options.refreshMs, signal, refresh, warn)
  return {
    find: (key) => metagraph.find(key),
    self: () => metagraph.find(hotkey),
    get block() {
      return metagraph.block
    },
    isExpired: () => clock.monotonic() - readAt > EXPIRY_MS,
    refreshSoon: () => {
      // Counted from the last try, not the last success: strangers must not drive requests to the chain.
      if (!isReading && clock.monotonic() - lookedAt >= EARLY_REFRESH_MS) void refresh().catch(warn)
    },
  }
}
