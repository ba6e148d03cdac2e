import { createHash } from 'node:crypto'
import { isAbort, type Log, messageOf, TargonError } from '../kernel/index.js'
import { applyUpdate } from './apply-update.js'
import type { UpdateContext } from './context.js'
import { withUpdateLock } from './lock.js'
import { findOffer, type Offer } from './offer.js'
import { launcherSource } from './open-update.js'
import { pinnedSigners } from './signers.js'

/** Minimum distance in blocks between an update and the next weight update (R10). */
const QUIET_BLOCKS = 30
/** Updates are spread over this time, so that not all validators restart at once. */
export const JITTER_MS = 30 * 60_000

/** Delay of an update, 0 to 30 minutes, derived from hotkey and version. */
export function jitterOf(hotkey: string, version: string): number {
  const digest = createHash('sha256').update(`${hotkey}/${version}`).digest()
  return Math.floor((digest.readUInt32BE(0) / 2 ** 32) * JITTER_MS)
}

/** The current block and the block of the next weight update; read again after the delay. */
export interface WeightsWindow {
  readonly block: number
  readonly nextWeightsBlock: number
}

export function mayUpdateAt({ block, nextWeightsBlock }: WeightsWindow): boolean {
  return nextWeightsBlock - block > QUIET_BLOCKS
}

export interface UnattendedOptions {
  readonly hotkey: string
  readonly log: Pick<Log, 'info' | 'warn' | 'debug'>
  /** Whether the launcher started this process; without it nothing would start the new release or roll back. */
  readonly isLaunched: boolean
  /** Told the result of every check, and the release it found. */
  readonly onCheck?: (result: UpdateCheckResult, found?: FoundRelease) => void
}

export type UpdateCheckResult = 'none' | 'offered' | 'refused' | 'failed'

export interface FoundRelease {
  readonly version: string
  /** Why it is not installed; undefined when it will be. */
  readonly refusal?: string
}

type Available = Extract<Offer, { kind: 'available' }>

/** Checks for updates whenever the role asks for it; at most one check runs at a time. */
export class UnattendedUpdate {
  #busy = false
  readonly #log: Pick<Log, 'warn'>

  constructor(
    private readonly context: UpdateContext,
    private readonly options: UnattendedOptions,
  ) {
    this.#log = warnOnce(options.log)
  }

  /** Warns at the start of a role when releases cannot be verified at all. Never throws. */
  async warnIfUnpinned(): Promise<void> {
    try {
      await pinnedSigners(this.context)
    } catch (error) {
      this.#logFailure(error)
    }
  }

  /**
   * Checks the source once, waits for the hotkey's jitter, builds the slot, and puts the release on probation unless the
   * next weight update is too close by then (R10).
   *
   * @param window undefined for a role that sets no weights.
   * @returns true when a release was put on probation and the role must restart (exit 75). Never throws.
   */
  async check(window?: () => WeightsWindow): Promise<boolean> {
    if (this.#busy) return false
    this.#busy = true
    try {
      const found = await this.#find()
      return found !== undefined && (await this.#apply(found, window))
    } catch (error) {
      if (isAbort(error)) return false
      this.options.onCheck?.('failed')
      this.#logFailure(error)
      return false
    } finally {
      this.#busy = false
    }
  }

  async #find(): Promise<Available | undefined> {
    const { log, isLaunched, onCheck, hotkey } = this.options
    const offer = await withUpdateLock(this.context, (context) => findOffer(context))
    if (offer.kind === 'none') {
      onCheck?.('none')
      for (const warning of offer.warnings)
        this.#log.warn({ event: 'update-source-stale', warning }, 'the update source may be frozen')
      return undefined
    }
    if (offer.kind === 'refused') {
      const { rule, detail } = offer.refusal
      onCheck?.('refused', { version: offer.version, refusal: detail })
      this.#log.warn({ event: 'update-refused', version: offer.version, rule, detail }, 'refused the update')
      return undefined
    }
    const { version, signedBy } = offer.verified
    onCheck?.('offered', { version })
    if (!isLaunched) {
      const next =
        'Run targon update, then start this neuron with deploy/launcher.mjs to update it automatically.'
      this.#log.warn({ event: 'update-available', version, signedBy, next }, 'a newer release is available')
      return undefined
    }
    const delayMs = jitterOf(hotkey, version)
    log.info({ event: 'update-found', version, signedBy, delayMs }, 'found a newer release')
    return offer
  }

  async #apply(found: Available, window: (() => WeightsWindow) | undefined): Promise<boolean> {
    const { clock, signal } = this.context
    const { hotkey, log } = this.options
    const { version } = found.verified
    const mayRestart = () => {
      const now = window?.()
      return now === undefined || mayUpdateAt(now)
    }
    await clock.sleep(jitterOf(hotkey, version), signal)
    const result = mayRestart() ? await this.#applyLocked(version, mayRestart) : 'postponed'
    if (result === 'postponed')
      log.info(
        { event: 'update-postponed', version, ...window?.() },
        'postponed the update: weights are due soon',
      )
    else log.info({ event: 'update-applied', version }, 'installed the update; restarting')
    return result === 'applied'
  }

  /** Verifies again under the lock, because the offer may have changed during the delay. */
  async #applyLocked(version: string, mayRestart: () => boolean): Promise<'applied' | 'postponed'> {
    return await withUpdateLock(this.context, async (context) => {
      const offer = await findOffer(context, version)
      if (offer.kind !== 'available') throw new Error(`release ${version} is no longer offered`)
      return (await applyUpdate(context, offer.verified, launcherSource(), mayRestart)).kind
    })
  }

  #logFailure(error: unknown): void {
    if (error instanceof TargonError && UNPINNED.has(error.code))
      this.#log.warn(
        { event: 'updates-off', err: error },
        'automatic updates are off: no signing key is pinned',
      )
    else this.#log.warn({ event: 'update-check-failed', err: error }, 'could not check for updates')
  }
}

/** Logs a repeated warning only once; repeats of the same record are logged at debug. */
function warnOnce(target: UnattendedOptions['log']): Pick<Log, 'warn'> {
  const seen = new Set<string>()
  return {
    warn: (fields, message) => {
      const key = `${message} ${JSON.stringify(fields)} ${messageOf(fields.err)}`
      target[seen.has(key) ? 'debug' : 'warn'](fields, message)
      seen.add(key)
    },
  }
}

const UNPINNED: ReadonlySet<string> = new Set(['UPDATE_NO_SIGNERS', 'UPDATE_SIGNERS_MISSING'])
