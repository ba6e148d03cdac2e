import { confirmRelease, openUpdate, UnattendedUpdate, type WeightsWindow } from '../autoupdate/index.js'
import { type Clock, every } from '../clock.js'
import type { UpdateSettings } from '../config/index.js'
import { messageOf } from '../errors.js'
import { packageVersion } from '../version.js'
import type { RoleDeps } from './role.js'

/** A neuron's own updates. */
export interface SelfUpdate {
  /** Ends the trial of the release that runs, if it is on trial, once the role has proven itself. */
  confirmWhen(healthy: Promise<void> | undefined): void
  /** One look after weights have been set; `restart` is called when a release was put on trial. */
  lookAfterWeights(window: () => WeightsWindow): void
  /** A look every hour, until the signal aborts, for a role that sets no weights. */
  lookHourly(): void
}

interface Life {
  readonly clock: Clock
  readonly log: RoleDeps['log']
  readonly signal: AbortSignal
  readonly restart: (reason: string) => void
}

const HOUR_MS = 3_600_000

/** Opens the updater of this installation for one life of a role. */
export function openSelfUpdate(
  settings: UpdateSettings,
  hotkey: string,
  surroundings: {
    readonly node: { readonly version: string; readonly path: string }
    readonly env: Readonly<Record<string, string>>
  },
  { clock, log, signal, restart }: Life,
): SelfUpdate {
  const onProgress = (step: string) => log.debug({ step }, 'update')
  const context = openUpdate(settings, { ...surroundings, clock, signal, onProgress })
  const unattended = new UnattendedUpdate(context, { hotkey, log })
  const look = async (window?: () => WeightsWindow) => {
    if (await unattended.look(window)) restart('update')
  }
  const report = (error: unknown) => log.warn({ reason: messageOf(error) }, 'update check failed')
  return {
    confirmWhen: (healthy) => {
      const confirm = async () => {
        if (await confirmRelease(context.layout, packageVersion())) log.info('release confirmed')
      }
      void healthy
        ?.then(confirm)
        .catch((error: unknown) => log.error({ err: error }, 'release not confirmed'))
    },
    lookAfterWeights: (window) => void look(window).catch(report),
    lookHourly: () => void every(clock, HOUR_MS, signal, () => look(), report),
  }
}
