import { mkdir } from 'node:fs/promises'
import { lock } from 'proper-lockfile'
import { TargonError } from '../errors.js'
import type { Layout } from './layout.js'

const STALE_MS = 10_000

/** Runs `work` while no other updater works on this layout. @throws TargonError UPDATE_RUNNING when one does. */
export async function withUpdateLock<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  await mkdir(layout.root, { recursive: true, mode: 0o700 })
  let release: () => Promise<void>
  try {
    release = await lock(layout.root, { lockfilePath: `${layout.root}/update.lock`, stale: STALE_MS })
  } catch (error) {
    throw new TargonError(
      `Another update works on ${layout.root}.`,
      { code: 'UPDATE_RUNNING', fault: 'update', next: 'Wait for it to end.' },
      { cause: error },
    )
  }
  try {
    return await work()
  } finally {
    await release()
  }
}
