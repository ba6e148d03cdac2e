import { readdir, rm } from 'node:fs/promises'
import semver from 'semver'
import { type Layout, slotOf } from './layout.js'
import { readState } from './state.js'
import { currentRelease } from './switch-release.js'

/** Older slots kept for a rollback. */
const KEPT_SLOTS = 2

/**
 * Removes every slot except the current one and the two newest committed ones below it. A slot takes a few hundred
 * megabytes, so unattended updates would otherwise fill the disk. The caller must hold the update lock.
 *
 * @returns the removed versions.
 */
export async function pruneReleases(layout: Layout): Promise<string[]> {
  const state = await readState(layout)
  const current = await currentRelease(layout)
  if (state.state === 'probation' || current === undefined) return []
  const slots = (await readdir(layout.releases)).filter((name) => semver.valid(name) !== null)
  const rollbackSlots = slots
    .filter((version) => state.committed.includes(version) && semver.lt(version, current))
    .sort(semver.rcompare)
    .slice(0, KEPT_SLOTS)
  const removed = slots.filter((version) => version !== current && !rollbackSlots.includes(version))
  for (const version of removed) await rm(slotOf(layout, version), { recursive: true, force: true })
  return removed
}
