import { isAbort, type Log, messageOf, TargonError } from '../kernel/index.js'
import { applyUpdate } from './apply-update.js'
import type { UpdateContext } from './context.js'
import { withUpdateLock } from './lock.js'
import { findOffer, type Offer } from './offer.js'
import { launcherSource } from './open-update.js'
import { jitterOf, mayUpdateAt } from './schedule.js'
import { pinnedSigners } from './signers.js'

/** Where the chain is, asked again after the delay. */
export interface WeightsWindow {
  readonly block: number
  readonly nextWeightsBlock: number
}

export interface UnattendedOptions {
  readonly hotkey: string
  readonly log: Pick<Log, 'info' | 'warn' | 'debug'>
  /** Whether the launcher started this process: without it nobody starts a release on trial, nor goes back. */
  readonly isLaunched: boolean
  /** Counts the looks by what came of them. */
  readonly onLook?: (result: LookResult) => void
}

export type LookResult = 'none' | 'offered' | 'refused' | 'failed'

type Available = Extract<Offer, { kind: 'available' }>

/** Looks for an update at the moments a role names; at most one look at a time. */
export class UnattendedUpdate {
  #busy = false
  readonly #log: Pick<Log, 'warn'>

  constructor(
    private readonly context: UpdateContext,
    private readonly options: UnattendedOptions,
  ) {
    this.#log = warnOnce(options.log)
  }

  /** Says at the start of a role whether releases can be trusted at all. Never throws. */
  async introduce(): Promise<void> {
    try {
      await pinnedSigners(this.context)
    } catch (error) {
      this.#tellFailure(error)
    }
  }

  /**
   * One look: asks the source, waits the hotkey's share of half an hour, builds the slot, and puts it on trial unless the
   * next setting of weights has come too close by then (R10). The validator calls it after weights have been set, the
   * miner every hour.
   *
   * @param window undefined for a role that sets no weights.
   * @returns true when a release was put on trial and the role shall restart (exit 75). Never throws.
   */
  async look(window?: () => WeightsWindow): Promise<boolean> {
    if (this.#busy) return false
    this.#busy = true
    try {
      const found = await this.#find()
      return found !== undefined && (await this.#apply(found, window))
    } catch (error) {
      if (isAbort(error)) return false
      this.options.onLook?.('failed')
      this.#tellFailure(error)
      return false
    } finally {
      this.#busy = false
    }
  }

  async #find(): Promise<Available | undefined> {
    const { log, isLaunched } = this.options
    const offer = await withUpdateLock(this.context, (context) => findOffer(context))
    this.options.onLook?.(offer.kind === 'available' ? 'offered' : offer.kind)
    if (offer.kind === 'none') {
      for (const warning of offer.warnings)
        this.#log.warn({ event: 'update-source-stale', warning }, 'the update source may be frozen')
      return undefined
    }
    if (offer.kind === 'refused') {
      const { rule, detail } = offer.refusal
      this.#log.warn({ event: 'update-refused', version: offer.version, rule, detail }, 'refused the update')
      return undefined
    }
    const { version, signedBy } = offer.verified
    if (!isLaunched) {
      const next = 'Run targon update, then start this neuron by deploy/launcher.mjs to have it done.'
      this.#log.warn({ event: 'update-available', version, signedBy, next }, 'a newer release is available')
      return undefined
    }
    log.info(
      { event: 'update-found', version, signedBy, delayMs: jitterOf(this.options.hotkey, version) },
      'found a newer release',
    )
    return offer
  }

  async #apply(found: Available, window: (() => WeightsWindow) | undefined): Promise<boolean> {
    const { clock, signal } = this.context
    const { hotkey, log } = this.options
    const { version } = found.verified
    const isNear = () => {
      const now = window?.()
      return now !== undefined && !mayUpdateAt(now.block, now.nextWeightsBlock)
    }
    await clock.sleep(jitterOf(hotkey, version), signal)
    const outcome = isNear()
      ? 'put-off'
      : await withUpdateLock(this.context, async (context) => {
          // what is offered may have changed during the delay: decide again under the lock that applies
          const offer = await findOffer(context, version)
          if (offer.kind !== 'available') throw new Error(`release ${version} is no longer offered`)
          return (await applyUpdate(context, offer.verified, launcherSource(), () => !isNear())).kind
        })
    if (outcome === 'put-off')
      log.info(
        { event: 'update-postponed', version, ...window?.() },
        'postponed the update: weights are due soon',
      )
    else log.info({ event: 'update-applied', version }, 'applied the update')
    return outcome === 'applied'
  }

  #tellFailure(error: unknown): void {
    const next = error instanceof TargonError && error.next !== undefined ? { next: error.next } : {}
    const reason = messageOf(error)
    if (error instanceof TargonError && UNPINNED.has(error.code))
      this.#log.warn({ event: 'updates-off', reason, ...next }, 'unattended updates are off')
    else this.#log.warn({ event: 'update-check-failed', reason, ...next }, 'could not check for updates')
  }
}

/** Warns of a lasting problem once; repeats of the same record go to debug. */
function warnOnce(target: UnattendedOptions['log']): Pick<Log, 'warn'> {
  const seen = new Set<string>()
  return {
    warn: (fields, message) => {
      const key = `${message} ${JSON.stringify(fields)}`
      target[seen.has(key) ? 'debug' : 'warn'](fields, message)
      seen.add(key)
    },
  }
}

const UNPINNED: ReadonlySet<string> = new Set(['UPDATE_NO_SIGNERS', 'UPDATE_SIGNERS_MISSING'])
