import type { Logger } from 'pino'
import { isAbort, messageOf } from '../errors.js'
import { applyUpdate } from './apply-update.js'
import type { UpdateContext } from './context.js'
import { withUpdateLock } from './lock.js'
import { findOffer } from './offer.js'
import { launcherSource } from './open-update.js'
import { jitterOf, mayUpdateAt } from './schedule.js'

/** Where the chain is, asked again after the delay. */
export interface WeightsWindow {
  readonly block: number
  readonly nextWeightsBlock: number
}

/** Looks for an update at the moments a role names; at most one look at a time. */
export class UnattendedUpdate {
  #busy = false

  constructor(
    private readonly context: UpdateContext,
    private readonly options: {
      readonly hotkey: string
      readonly log: Pick<Logger, 'info' | 'warn' | 'debug'>
    },
  ) {}

  /**
   * One look: asks the source, waits the hotkey's share of half an hour, and applies unless the next setting of
   * weights has come too close (R10). The validator calls it after weights have been set, the miner every hour.
   *
   * @param window undefined for a role that sets no weights.
   * @returns true when a release was put on trial and the role shall restart (exit 75). Never throws.
   */
  async look(window?: () => WeightsWindow): Promise<boolean> {
    if (this.#busy) return false
    this.#busy = true
    try {
      return await this.#look(window)
    } catch (error) {
      if (!isAbort(error)) this.options.log.warn({ reason: messageOf(error) }, 'update check failed')
      return false
    } finally {
      this.#busy = false
    }
  }

  async #look(window?: () => WeightsWindow): Promise<boolean> {
    const { context, options } = this
    const first = await withUpdateLock(context.layout, () => findOffer(context))
    if (first.kind === 'none') {
      for (const warning of first.warnings) options.log.warn({ warning }, 'update source may be frozen')
      return false
    }
    if (first.kind === 'refused') {
      options.log.warn(
        { version: first.version, rule: first.refusal.rule, detail: first.refusal.detail },
        'update refused',
      )
      return false
    }
    const { version } = first.verified
    const delayMs = jitterOf(options.hotkey, version)
    options.log.info({ version, signedBy: first.verified.signedBy, delayMs }, 'update found')
    await context.clock.sleep(delayMs, context.signal)
    const now = window?.()
    if (now && !mayUpdateAt(now.block, now.nextWeightsBlock)) {
      options.log.info({ version, ...now }, 'update put off: weights are near')
      return false
    }
    await withUpdateLock(context.layout, async () => {
      // what is offered may have changed during the delay: decide again under the lock that applies
      const offer = await findOffer(context, version)
      if (offer.kind === 'available') await applyUpdate(context, offer.verified, launcherSource())
      else throw new Error(`release ${version} is no longer offered`)
    })
    options.log.info({ version }, 'update applied')
    return true
  }
}
