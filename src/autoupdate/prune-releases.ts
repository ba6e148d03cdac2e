import { readdir, rm } from 'node:fs/promises'
import semver from 'semver'
import { type Layout, slotOf } from './layout.js'
import { readState } from './state.js'
import { currentRelease } from './switch-release.js'

/** Slots kept beside the current one for a way back. */
const KEPT = 2

/**
 * Removes slots nobody goes back to: all but the current one and the newest committed below it. A slot is a few hundred
 * megabytes, and a machine that updates itself for years would fill its disk. The caller holds the update lock.
 *
 * @returns the versions removed.
 */
export async function pruneReleases(layout: Layout): Promise<string[]> {
  const state = await readState(layout)
  const current = await currentRelease(layout)
  if (state.state === 'probation' || current === undefined) return []
  const slots = (await readdir(layout.releases)).filter((name) => semver.valid(name) !== null)
  const backwards = slots
    .filter((version) => state.committed.includes(version) && semver.lt(version, current))
    .sort(semver.rcompare)
    .slice(0, KEPT)
  const removed = slots.filter((version) => version !== current && !backwards.includes(version))
  for (const version of removed) await rm(slotOf(layout, version), { recursive: true, force: true })
  return removed
}
