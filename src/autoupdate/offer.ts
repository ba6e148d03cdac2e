import semver from 'semver'
import type { UpdateContext } from './context.js'
import { fetchTag, hasTag, listTags } from './git.js'
import { type ReleaseRefusal, requireVersion, type VerifiedRelease } from './release.js'
import { pinnedSigners } from './signers.js'
import { readState, type UpdateState } from './state.js'
import { currentRelease } from './switch-release.js'
import { isReleaseRefusal, verifyRelease } from './verify-release.js'

/** What the update source offers this machine. */
export type Offer =
  | {
      readonly kind: 'none'
      readonly installed: string
      readonly latest: string | undefined
      readonly warnings: readonly string[]
    }
  | {
      readonly kind: 'available'
      readonly installed: string
      readonly verified: VerifiedRelease
      readonly warnings: readonly string[]
    }
  | {
      readonly kind: 'refused'
      readonly installed: string
      readonly version: string
      readonly refusal: ReleaseRefusal
    }

/**
 * Fetches and verifies the newest release of the channel, or the requested one. Installs nothing.
 *
 * @throws TargonError UPDATE_BAD_VERSION, UPDATE_COMMAND_FAILED when the source cannot be reached, and whatever
 * `pinnedSigners` throws.
 */
export async function findOffer(context: UpdateContext, requested?: string): Promise<Offer> {
  if (requested !== undefined) requireVersion(requested)
  await pinnedSigners(context)
  const current = await currentRelease(context.layout)
  const installed = current ?? context.runningVersion
  const state = await readState(context.layout)
  context.onProgress(`checking ${context.url}`)
  const latest = newestVersion(await listTags(context), context.channel)
  const version = requested ?? latest
  const isUpdate = requested === undefined ? version && semver.gt(version, installed) : requested !== current
  if (version === undefined || !isUpdate)
    return { kind: 'none', installed, latest, warnings: await stalenessWarnings(context, installed) }
  const refusal = policyRefusal(version, installed, state, requested !== undefined)
  if (refusal) return { kind: 'refused', installed, version, refusal }
  context.onProgress(`fetching and verifying v${version}`)
  await fetchTag(context, `v${version}`)
  const verified = await verifyRelease(context, `v${version}`)
  if (isReleaseRefusal(verified)) return { kind: 'refused', installed, version, refusal: verified }
  return { kind: 'available', installed, verified, warnings: expiryWarnings(context, verified) }
}

/** Version of the current release, or of this process while no release is installed. */
export async function installedVersion(context: UpdateContext): Promise<string> {
  return (await currentRelease(context.layout)) ?? context.runningVersion
}

/**
 * R4 and R5: refuses a version that failed here before, and one below the highest version committed here. An explicit
 * request may retry a failed version and go back to a committed one.
 */
export function policyRefusal(
  version: string,
  installed: string,
  state: UpdateState,
  isExplicit: boolean,
): ReleaseRefusal | undefined {
  if (state.bad.includes(version) && !isExplicit) {
    return {
      rule: 'known-bad',
      detail: `${version} failed on this machine before; use --to ${version} to try it again`,
    }
  }
  const floor = semver.gt(state.highest, installed) ? state.highest : installed
  if (semver.gte(version, floor)) return undefined
  if (isExplicit && state.committed.includes(version)) return undefined
  return { rule: 'downgrade', detail: `${version} is below ${floor}, the highest version that has run here` }
}

/** Newest `vX.Y.Z` in semver order. */
export function newestVersion(
  tags: readonly string[],
  channel: UpdateContext['channel'],
): string | undefined {
  return tags
    .map((tag) => (tag.startsWith('v') ? semver.valid(tag.slice(1)) : null))
    .filter((version): version is string => version !== null)
    .filter((version) => channel === 'next' || semver.prerelease(version) === null)
    .sort(semver.rcompare)[0]
}

/** A source that offers nothing newer than an expired release may be frozen by an attacker in between. */
async function stalenessWarnings(context: UpdateContext, installed: string): Promise<string[]> {
  const tag = `v${installed}`
  if (!(await hasTag(context, tag))) return []
  const verified = await verifyRelease(context, tag)
  return isReleaseRefusal(verified) ? [] : expiryWarnings(context, verified)
}

function expiryWarnings(context: UpdateContext, verified: VerifiedRelease): string[] {
  if (Date.parse(verified.release.expires) >= context.clock.now()) return []
  return [
    `Release ${verified.version} expired on ${verified.release.expires.slice(0, 10)} and nothing newer is offered: the source may be frozen or stale.`,
  ]
}
