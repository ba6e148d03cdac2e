import type { MinerSettings } from '../../config/index.js'
import { createCleanupStack, whenAborted } from '../../kernel/index.js'
import { createMetrics } from '../../telemetry/index.js'
import type { RunningRole } from '../role.js'
import { whenHealthy } from '../when-healthy.js'
import { drainMiner, openMiner } from './miner.js'
import type { MinerContext } from './parts.js'
import { unavailableReason } from './status.js'
import type { MinerDeps, MinerReport } from './types.js'

export interface RunningMiner extends RunningRole<MinerReport> {
  /** Why it cannot serve now, as /readyz reports; undefined when it can. */
  readonly unavailableReason: () => string | undefined
}

/**
 * Runs a miner until `deps.signal` aborts, then drains it. The chain connection stays the caller's to close.
 *
 * @throws TargonError HOTKEY_NOT_REGISTERED (fault chain), AXON_PORT_UNAVAILABLE, STATUS_PORT_IN_USE, SCRAPE_ADDRESS_UNUSABLE,
 * BAD_UPSTREAM (fault usage), NO_EXTERNAL_ADDRESS (fault usage or unreachable), ANNOUNCEMENT_REFUSED (fault chain), and what
 * Subtensor throws.
 */
export async function startMiner(settings: MinerSettings, deps: MinerDeps): Promise<RunningMiner> {
  const { clock, log } = deps
  const cleanup = createCleanupStack(clock, log)
  const background = new AbortController()
  cleanup.add('background work', () => background.abort())
  // Stopped before it serves, a miner has nothing to drain: everything the start waits for ends at once.
  const abortStart = () => background.abort(deps.signal.reason)
  deps.signal.addEventListener('abort', abortStart, { once: true })
  try {
    deps.signal.throwIfAborted()
    const metrics = deps.metrics ?? createMetrics('miner')
    const context: MinerContext = { settings, deps, metrics, cleanup, signal: background.signal }
    const { miner, statusUrl } = await openMiner(context)
    const reason = () => unavailableReason(miner)
    return {
      done: whenAborted(deps.signal).then(() => drainMiner(miner, context)),
      statusUrl,
      healthy: whenHealthy(clock, reason, background.signal),
      unavailableReason: reason,
    }
  } catch (error) {
    await cleanup.closeAll()
    throw error
  } finally {
    deps.signal.removeEventListener('abort', abortStart)
  }
}
