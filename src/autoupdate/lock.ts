import { mkdir } from 'node:fs/promises'
import { lock } from 'proper-lockfile'
import { TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'

const STALE_MS = 10_000

/**
 * Runs `work` while no other updater works on the same root, in this process or another. The context given to `work`
 * aborts when the lock is lost (this process stood still and another took over).
 *
 * @throws TargonError UPDATE_RUNNING when another one works, UPDATE_LOCK_LOST.
 */
export async function withUpdateLock<T>(
  context: UpdateContext,
  work: (context: UpdateContext) => Promise<T>,
): Promise<T> {
  const { root } = context.layout
  await mkdir(root, { recursive: true, mode: 0o700 })
  const lost = new AbortController()
  // the default throws from a timer, which would end a whole neuron
  const onCompromised = (error: Error) => lost.abort(lostError(root, error))
  let release: () => Promise<void>
  try {
    release = await lock(root, { lockfilePath: `${root}/update.lock`, stale: STALE_MS, onCompromised })
  } catch (error) {
    throw new TargonError(
      `Another update works on ${root}.`,
      { code: 'UPDATE_RUNNING', fault: 'update', next: 'Wait for it to end.' },
      { cause: error },
    )
  }
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, lost.signal]) })
  } finally {
    // a lock that was lost is another's now
    if (!lost.signal.aborted) await release().catch(() => {})
  }
}

function lostError(root: string, cause: Error): TargonError {
  return new TargonError(
    `The lock of ${root} was lost: the update stood still for too long.`,
    { code: 'UPDATE_LOCK_LOST', fault: 'update', next: 'Run targon update again.' },
    { cause },
  )
}
