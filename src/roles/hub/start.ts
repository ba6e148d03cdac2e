import { join } from 'node:path'
import type { HubSettings } from '../../config/index.js'
import { createCleanupStack, lockHotkey, whenAborted } from '../../kernel/index.js'
import { createMetrics } from '../../telemetry/index.js'
import type { RunningRole } from '../role.js'
import { whenHealthy } from '../when-healthy.js'
import { drainHub, openHub } from './hub.js'
import { unavailableReason } from './status.js'
import type { Hub, HubContext, HubDeps, HubReport } from './types.js'

export interface RunningHub extends RunningRole<HubReport> {
  /** Why it cannot serve now, as /readyz reports; undefined when it can. */
  readonly unavailableReason: () => string | undefined
}

/**
 * Runs a hub until `deps.signal` aborts, then drains it. It closes the accounts; the chain connection stays the caller's to
 * close.
 *
 * @throws TargonError HUB_PORT_UNAVAILABLE, HUB_TLS, BAD_TRUSTED_PROXY, PRIVATE_AXONS_ON_FINNEY, RETAIN_KEY_UNREADABLE,
 * STATUS_PORT_IN_USE (fault usage), HOTKEY_NOT_REGISTERED (fault chain), HOTKEY_IN_USE, and what Subtensor.metagraph throws.
 */
export async function startHub(settings: HubSettings, deps: HubDeps): Promise<RunningHub> {
  const { clock, log, stateDir } = deps
  const cleanup = createCleanupStack(clock, log)
  cleanup.add('accounts', () => deps.accounts.close())
  const background = new AbortController()
  // Stopped before it serves, a hub has nothing to drain: everything the start waits for ends at once.
  const abortStart = () => background.abort(deps.signal.reason)
  deps.signal.addEventListener('abort', abortStart, { once: true })
  try {
    deps.signal.throwIfAborted()
    const { signal } = background
    // The kept requests belong to one process.
    const path = join(stateDir, 'hub.lock')
    const lock = await lockHotkey({
      ...{ path, clock, log, signal, ...deps.lockTimes },
      use: 'runs a hub in this state folder',
      next: 'Stop the other process first, or give this hub a folder of its own with --neuron.name.',
    })
    cleanup.add('lock', () => lock.release())
    cleanup.add('background work', () => background.abort())
    const metrics = deps.metrics ?? createMetrics('hub')
    const context: HubContext = { settings, deps, metrics, cleanup, signal, lost: lock.lost }
    const { hub, statusUrl } = await openHub(context)
    const reason = () => unavailableReason(hub, deps)
    return {
      done: serveUntilEnd(hub, context),
      statusUrl,
      healthy: whenHealthy(clock, reason, signal),
      unavailableReason: reason,
    }
  } catch (error) {
    background.abort()
    await cleanup.closeAll()
    throw error
  } finally {
    deps.signal.removeEventListener('abort', abortStart)
  }
}

/** Two processes must not share the kept requests, so a hub that has lost its lock ends; it finishes its requests before. */
async function serveUntilEnd(hub: Hub, context: HubContext): Promise<HubReport> {
  const { deps, lost } = context
  await Promise.race([whenAborted(deps.signal), whenAborted(lost)])
  const report = await drainHub(hub, context)
  if (lost.aborted) throw lost.reason
  return report
}
