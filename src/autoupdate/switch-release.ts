import { constants } from 'node:fs'
import { copyFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import semver from 'semver'
import { hasCode, syncFolder } from '../kernel/index.js'
import { type Layout, slotOf } from './layout.js'
import { isComplete } from './stage-release.js'
import { readState, type UpdateState, writeState } from './state.js'

/** Version that the link `current` points to; undefined before the first release. */
export async function currentRelease(layout: Layout): Promise<string | undefined> {
  try {
    return basename(await readlink(layout.current))
  } catch {
    return undefined
  }
}

/** Points `current` at a release atomically (R9). */
export async function linkRelease(layout: Layout, version: string): Promise<void> {
  const temporary = `${layout.current}.tmp`
  await rm(temporary, { force: true })
  await symlink(join('releases', version), temporary)
  await rename(temporary, layout.current)
  await syncFolder(layout.root)
}

/** Puts a complete slot on probation: durable state first, then the link; the launcher completes an interrupted switch. */
export async function beginProbation(layout: Layout, version: string): Promise<void> {
  const state = await readState(layout)
  const from = (await currentRelease(layout)) ?? null
  const { highest, committed, bad } = state
  const probation = { from, to: version, attempts: 0, deadline: null }
  await writeState(layout, { state: 'probation', highest, committed, bad, ...probation })
  await linkRelease(layout, version)
}

/**
 * Commits a release that has become healthy, which ends its probation.
 *
 * @returns false when that release is not on probation, so a role may call it at every start.
 */
export async function confirmRelease(layout: Layout, version: string): Promise<boolean> {
  const state = await readState(layout)
  if (state.state !== 'probation' || state.to !== version) return false
  await writeState(layout, commit(state, version))
  return true
}

/** Marks a release as failed, so that this machine does not install it again unless explicitly requested. */
export async function markBad(layout: Layout, version: string): Promise<void> {
  const state = await readState(layout)
  await writeState(layout, { ...state, bad: union(state.bad, version) })
}

/**
 * Rolls back to a version committed here and marks the newer one as failed, so that it does not come back by itself.
 *
 * @returns false when the slot is missing or incomplete.
 */
export async function rollBackTo(layout: Layout, version: string): Promise<boolean> {
  if (!(await isComplete(slotOf(layout, version)))) return false
  const left = await currentRelease(layout)
  await endProbation(layout, left !== undefined && semver.gt(left, version) ? left : undefined)
  await linkRelease(layout, version)
  return true
}

/** Removes the link to the current release and marks that as failed: the launcher of a checkout then starts the checkout. */
export async function rollBackToCheckout(layout: Layout): Promise<void> {
  await endProbation(layout, await currentRelease(layout))
  await rm(layout.current, { force: true })
  await syncFolder(layout.root)
}

async function endProbation(layout: Layout, failed: string | undefined): Promise<void> {
  const { bad, highest, committed } = await readState(layout)
  await writeState(layout, {
    state: 'committed',
    highest,
    committed,
    bad: failed === undefined ? bad : union(bad, failed),
  })
}

/** Installs the launcher once; an update never replaces an existing launcher. */
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
