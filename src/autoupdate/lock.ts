import { mkdir } from 'node:fs/promises'
import { lock } from 'proper-lockfile'
import { TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'

const STALE_MS = 10_000

/**
 * Runs `work` under the lock of the update root, which excludes other updaters in this and other processes. The context
 * passed to `work` aborts when the lock is lost: this process stalled, the lock went stale and another updater took it.
 *
 * @throws TargonError UPDATE_RUNNING when another updater holds the lock, UPDATE_LOCK_LOST.
 */
export async function withUpdateLock<T>(
  context: UpdateContext,
  work: (context: UpdateContext) => Promise<T>,
): Promise<T> {
  const { root } = context.layout
  await mkdir(root, { recursive: true, mode: 0o700 })
  const lost = new AbortController()
  // the default handler throws from a timer, which would crash the whole neuron
  const onCompromised = (error: Error) => lost.abort(lostError(root, error))
  let release: () => Promise<void>
  try {
    release = await lock(root, { lockfilePath: `${root}/update.lock`, stale: STALE_MS, onCompromised })
  } catch (error) {
    throw new TargonError(
      `Another update is running in ${root}.`,
      { code: 'UPDATE_RUNNING', fault: 'update', next: 'Wait until it finishes, then try again.' },
      { cause: error },
    )
  }
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, lost.signal]) })
  } finally {
    // once lost, the lock belongs to another updater
    if (!lost.signal.aborted) await release().catch(() => {})
  }
}

function lostError(root: string, cause: Error): TargonError {
  return new TargonError(
    `The update lost its lock on ${root}: this process stalled for more than ${STALE_MS / 1000} s.`,
    { code: 'UPDATE_LOCK_LOST', fault: 'update', next: 'Run targon update again.' },
    { cause },
  )
}
