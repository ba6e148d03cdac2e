import {
  confirmRelease,
  type FoundRelease,
  isNewer,
  openUpdate,
  pruneReleases,
  readState,
  UnattendedUpdate,
  type UpdateCheckResult,
  type UpdateContext,
  type WeightsWindow,
  withUpdateLock,
} from '../autoupdate/index.js'
import type { MinerSettings, ServerSettings } from '../config/index.js'
import { type Clock, every, isAbort, packageVersion, TargonError } from '../kernel/index.js'
import type { RoleDeps, ServerRole } from './role.js'
import type { UpdateStanding } from './update-conditions.js'

/** The automatic updates of a neuron. */
export interface SelfUpdate {
  /** Ends the probation of the running release, if it is on probation, once the role is healthy. */
  confirmWhen(healthy: Promise<void>): void
  /** @returns what a validator calls after its weights are on chain; starts one check without waiting for it. */
  afterWeights(window: () => WeightsWindow): () => Promise<void>
  /**
   * Checks every hour until the signal aborts, for a role that sets no weights. A check is skipped while the role cannot
   * serve, because the new release could not become healthy either.
   */
  checkHourly(unavailableReason: () => string | undefined): void
  /** What is known of newer releases, for alerts. */
  readonly standing: () => Promise<UpdateStanding>
}

/** What lasts as long as the running role, until it drains or restarts. */
interface RoleLifetime {
  readonly clock: Clock
  readonly log: RoleDeps['log']
  readonly signal: AbortSignal
  /** Called when a release was put on probation. */
  readonly restart: (reason: string) => void
  /** Counts checks by their result. */
  readonly onCheck?: (result: UpdateCheckResult) => void
}

const HOUR_MS = 3_600_000
const LOCK_RETRY_MS = 1000

type SwitchName = 'autoupdate-off' | 'update.source'

/**
 * Whether a node updates itself: a validator unless disabled, a miner or hub only when enabled. With the package registry as
 * the source, releases are installed by hand.
 */
export function isUnattended(
  role: ServerRole,
  settings: Pick<ServerSettings, SwitchName> & Partial<Pick<MinerSettings, 'autoupdate'>>,
): boolean {
  if (settings['autoupdate-off'] || settings['update.source'] !== 'git') return false
  return role === 'validator' || settings.autoupdate === true
}

/** Opens the updater of this installation for the lifetime of a role. */
export function openSelfUpdate(
  settings: Parameters<typeof openUpdate>[0] & { readonly launched: boolean },
  hotkey: string,
  surroundings: {
    readonly node: { readonly version: string; readonly path: string }
    readonly env: Readonly<Record<string, string>>
  },
  { clock, log, signal, restart, onCheck }: RoleLifetime,
): SelfUpdate {
  const onProgress = (step: string) => log.debug({ event: 'update-step', step }, 'update step')
  const context = openUpdate(settings, { ...surroundings, clock, signal, onProgress })
  let waiting: UpdateStanding['waiting']
  const unattended = new UnattendedUpdate(context, {
    hotkey,
    log,
    isLaunched: settings.launched,
    onCheck: (result, found) => {
      if (result !== 'failed') waiting = found && describeWaiting(found, settings.launched)
      onCheck?.(result)
    },
  })
  const check = async (window?: () => WeightsWindow) => {
    if (await unattended.check(window)) restart('update')
  }
  return {
    standing: async () => {
      const { bad } = await readState(context.layout)
      return { waiting, rolledBack: bad.filter((version) => isNewer(version, context.runningVersion)) }
    },
    confirmWhen: (healthy) => {
      void confirmOnceHealthy(context, healthy, log).catch((error: unknown) => {
        if (!isAbort(error))
          log.warn(
            { event: 'release-probation-failed', err: error },
            'could not confirm the release on probation',
          )
      })
    },
    afterWeights: (window) => {
      void unattended.warnIfUnpinned()
      return async () => void check(window)
    },
    checkHourly: (unavailableReason) => {
      void unattended.warnIfUnpinned()
      const checkWhileServing = async () => {
        const reason = unavailableReason()
        if (reason === undefined) await check()
        else
          log.debug(
            { event: 'update-check-skipped', reason },
            'skipped the update check: the node cannot serve now',
          )
      }
      void every(clock, HOUR_MS, signal, checkWhileServing, () => {})
    },
  }
}

function describeWaiting(
  { version, refusal }: FoundRelease,
  isLaunched: boolean,
): NonNullable<UpdateStanding['waiting']> {
  if (refusal !== undefined)
    return { version, reason: refusal, next: 'Run targon update --check to see it in full.' }
  if (!isLaunched)
    return {
      version,
      reason: 'this node was not started by the launcher',
      next: 'Run targon update, then start this node with deploy/launcher.mjs to update it automatically.',
    }
  return {
    version,
    reason: 'there was no time to restart without missing weights, or building it failed',
    next: 'Look for the events update-postponed and update-check-failed in the log.',
  }
}

async function confirmOnceHealthy(
  context: UpdateContext,
  healthy: Promise<void>,
  log: RoleDeps['log'],
): Promise<void> {
  await healthy
  const version = packageVersion()
  if (!(await endProbation(context, version))) return
  log.info({ event: 'release-confirmed', version }, 'confirmed the new release')
  const removed = await withUpdateLock(context, ({ layout }) => pruneReleases(layout))
  if (removed.length > 0) log.info({ event: 'releases-pruned', removed }, 'removed old releases')
}

/** Commits the release if it is on probation, after any running updater finishes. @returns whether it was on probation. */
async function endProbation({ layout, ...rest }: UpdateContext, version: string): Promise<boolean> {
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
