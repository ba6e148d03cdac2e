import {
  confirmRelease,
  type LookResult,
  openUpdate,
  pruneReleases,
  readState,
  UnattendedUpdate,
  type UpdateContext,
  type WeightsWindow,
  withUpdateLock,
} from '../autoupdate/index.js'
import type { MinerSettings, ValidatorSettings } from '../config/index.js'
import { type Clock, every, isAbort, packageVersion, TargonError } from '../kernel/index.js'
import type { RoleDeps } from './role.js'

/** A neuron's own updates. */
export interface SelfUpdate {
  /** Ends the trial of the release that runs, if it is on trial, once the role has proven itself. */
  confirmWhen(healthy: Promise<void>): void
  /** What a validator calls after weights have been set: one look, not waited for. */
  afterWeights(window: () => WeightsWindow): () => Promise<void>
  /**
   * A look every hour, until the signal aborts, for a role that sets no weights; none while it cannot serve, for the new
   * release could not prove itself either.
   */
  lookHourly(lack: () => string | undefined): void
}

interface Life {
  readonly clock: Clock
  readonly log: RoleDeps['log']
  readonly signal: AbortSignal
  /** Called when a release was put on trial. */
  readonly restart: (reason: string) => void
  /** Counts looks by their result. */
  readonly onLook?: (result: LookResult) => void
}

const HOUR_MS = 3_600_000
const LOCK_RETRY_MS = 1000

type SwitchName = 'autoupdate-off' | 'update.source'

/**
 * Whether a neuron looks for releases by itself: a validator unless told not to, a miner only when told to. Releases of
 * the package registry are installed by hand.
 */
export function isUnattended(
  role: 'miner' | 'validator',
  settings: Pick<ValidatorSettings, SwitchName> & Partial<Pick<MinerSettings, 'autoupdate'>>,
): boolean {
  if (settings['autoupdate-off'] || settings['update.source'] !== 'git') return false
  return role === 'validator' || settings.autoupdate === true
}

/** Opens the updater of this installation for one life of a role. */
export function openSelfUpdate(
  settings: Parameters<typeof openUpdate>[0] & { readonly launched: boolean },
  hotkey: string,
  surroundings: {
    readonly node: { readonly version: string; readonly path: string }
    readonly env: Readonly<Record<string, string>>
  },
  { clock, log, signal, restart, onLook }: Life,
): SelfUpdate {
  const onProgress = (step: string) => log.debug({ event: 'update-step', step }, 'update step')
  const context = openUpdate(settings, { ...surroundings, clock, signal, onProgress })
  const version = packageVersion()
  const unattended = new UnattendedUpdate(context, {
    hotkey,
    log,
    isLaunched: settings.launched,
    ...(onLook ? { onLook } : {}),
  })
  const look = async (window?: () => WeightsWindow) => {
    if (await unattended.look(window)) restart('update')
  }
  return {
    confirmWhen: (healthy) => {
      const confirm = async () => {
        await healthy
        if (!(await endTrial(context, version))) return
        log.info({ event: 'release-confirmed', version }, 'confirmed the new release')
        const removed = await withUpdateLock(context, ({ layout }) => pruneReleases(layout))
        if (removed.length > 0) log.info({ event: 'releases-pruned', removed }, 'removed old releases')
      }
      void confirm().catch((error: unknown) => {
        if (!isAbort(error))
          log.warn(
            { event: 'release-probation-failed', err: error },
            'could not confirm the release on probation',
          )
      })
    },
    afterWeights: (window) => {
      void unattended.introduce()
      return async () => void look(window)
    },
    lookHourly: (lack) => {
      void unattended.introduce()
      const lookWhenWell = async () => {
        const missing = lack()
        if (missing === undefined) await look()
        else
          log.debug(
            { event: 'update-check-skipped', missing },
            'skipped the update check: the node cannot serve now',
          )
      }
      void every(clock, HOUR_MS, signal, lookWhenWell, () => {})
    },
  }
}

/** Commits the release when it is on trial; waits for an updater at work. @returns whether it was on trial. */
async function endTrial({ layout, ...rest }: UpdateContext, version: string): Promise<boolean> {
  for (;;) {
    const state = await readState(layout)
    if (state.state !== 'probation' || state.to !== version) return false
    try {
      return await withUpdateLock({ layout, ...rest }, () => confirmRelease(layout, version))
    } catch (error) {
      if (!(error instanceof TargonError && error.code === 'UPDATE_RUNNING')) throw error
      await rest.clock.sleep(LOCK_RETRY_MS, rest.signal)
    }
  }
}
