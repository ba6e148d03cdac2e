import { constants } from 'node:fs'
import { copyFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import semver from 'semver'
import { hasCode, syncFolder } from '../kernel/index.js'
import { type Layout, slotOf } from './layout.js'
import { isComplete } from './stage-release.js'
import { readState, type UpdateState, writeState } from './state.js'

/** Version the link `current` points to; undefined before the first release. */
export async function currentRelease(layout: Layout): Promise<string | undefined> {
  try {
    return basename(await readlink(layout.current))
  } catch {
    return undefined
  }
}

/** Points `current` at a release in one atomic step (R9). */
export async function linkRelease(layout: Layout, version: string): Promise<void> {
  const aside = `${layout.current}.tmp`
  await rm(aside, { force: true })
  await symlink(join('releases', version), aside)
  await rename(aside, layout.current)
  await syncFolder(layout.root)
}

/** Puts a complete slot on trial: state first, durable, then the link; the launcher finishes a link that was cut off. */
export async function beginProbation(layout: Layout, version: string): Promise<void> {
  const state = await readState(layout)
  const from = (await currentRelease(layout)) ?? null
  const { highest, committed, bad } = state
  const trial = { from, to: version, attempts: 0, deadline: null }
  await writeState(layout, { state: 'probation', highest, committed, bad, ...trial })
  await linkRelease(layout, version)
}

/**
 * Called by a role once it serves: ends the trial of the release it runs from. Does nothing when that release is not
 * on trial, so a role may call it at every start.
 */
export async function confirmRelease(layout: Layout, version: string): Promise<boolean> {
  const state = await readState(layout)
  if (state.state !== 'probation' || state.to !== version) return false
  await writeState(layout, commit(state, version))
  return true
}

/** Marks a release as failed, so that it is never offered again on this machine. */
export async function markBad(layout: Layout, version: string): Promise<void> {
  const state = await readState(layout)
  await writeState(layout, { ...state, bad: union(state.bad, version) })
}

/**
 * Goes back to a version committed here. The one left is remembered as bad: nothing brings it back unasked.
 *
 * @returns false when the slot is gone.
 */
export async function returnTo(layout: Layout, version: string): Promise<boolean> {
  if (!(await isComplete(slotOf(layout, version)))) return false
  const { bad: old, highest, committed } = await readState(layout)
  const left = await currentRelease(layout)
  const bad = left !== undefined && semver.gt(left, version) ? union(old, left) : old
  await writeState(layout, { state: 'committed', highest, committed, bad })
  await linkRelease(layout, version)
  return true
}

/** Installs the launcher once; a launcher that is there is never replaced by an update. */
export async function installLauncher(layout: Layout, source: string): Promise<void> {
  await copyFile(source, layout.launcher, constants.COPYFILE_EXCL).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error
  })
}

function commit(state: UpdateState, version: string): UpdateState {
  const highest = semver.gt(version, state.highest) ? version : state.highest
  const bad = state.bad.filter((one) => one !== version)
  return { state: 'committed', highest, committed: union(state.committed, version), bad }
}

function union(values: readonly string[], value: string): string[] {
  return [...new Set([...values, value])]
}
