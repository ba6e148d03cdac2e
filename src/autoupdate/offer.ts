import semver from 'semver'
import type { UpdateContext } from './context.js'
import { fetchTag, hasTag, listTags } from './git.js'
import { type Refusal, refuseNoVersion, type VerifiedRelease } from './release.js'
import { pinnedSigners } from './signers.js'
import { readState, type UpdateState } from './state.js'
import { currentRelease } from './switch-release.js'
import { isRefusal, verifyRelease } from './verify-release.js'

/** What the source has for this machine. */
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
      readonly refusal: Refusal
    }

/**
 * Asks the source for the newest release of the channel, or for `wanted`, and verifies it. Nothing is installed.
 *
 * @throws TargonError UPDATE_COMMAND_FAILED when the source cannot be reached, and what `pinnedSigners` throws.
 */
export async function findOffer(context: UpdateContext, wanted?: string): Promise<Offer> {
  if (wanted !== undefined) refuseNoVersion(wanted)
  await pinnedSigners(context)
  const current = await currentRelease(context.layout)
  const installed = current ?? context.ownVersion
  const state = await readState(context.layout)
  context.onProgress(`asking ${context.url}`)
  const latest = newestVersion(await listTags(context), context.channel)
  const version = wanted ?? latest
  const isNews = wanted === undefined ? version && semver.gt(version, installed) : wanted !== current
  if (version === undefined || !isNews)
    return { kind: 'none', installed, latest, warnings: await stalenessOf(context, installed) }
  const early = policyRefusal(version, installed, state, wanted !== undefined)
  if (early) return { kind: 'refused', installed, version, refusal: early }
  context.onProgress(`fetching and verifying v${version}`)
  await fetchTag(context, `v${version}`)
  const verified = await verifyRelease(context, `v${version}`)
  if (isRefusal(verified)) return { kind: 'refused', installed, version, refusal: verified }
  return { kind: 'available', installed, verified, warnings: warningsOf(context, verified) }
}

/** The release that starts next, or the tree this process runs from while there is none. */
export async function installedVersion(context: UpdateContext): Promise<string> {
  return (await currentRelease(context.layout)) ?? context.ownVersion
}

/** R4 and R5: never below the highest version ever committed here unless asked for a version committed here. */
export function policyRefusal(
  version: string,
  installed: string,
  state: UpdateState,
  asked: boolean,
): Refusal | undefined {
  if (state.bad.includes(version) && !asked) {
    return {
      rule: 'known-bad',
      detail: `${version} failed on this machine before; --to ${version} tries it again`,
    }
  }
  const floor = semver.gt(state.highest, installed) ? state.highest : installed
  if (semver.gte(version, floor)) return undefined
  if (asked && state.committed.includes(version)) return undefined
  return { rule: 'downgrade', detail: `${version} is below ${floor}, the highest that ran here` }
}

/** Newest `vX.Y.Z` by semver, not by date or text. */
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

/** A source with nothing newer than a release that has expired may be frozen by someone in between. */
async function stalenessOf(context: UpdateContext, installed: string): Promise<string[]> {
  const tag = `v${installed}`
  if (!(await hasTag(context, tag))) return []
  const verified = await verifyRelease(context, tag)
  return isRefusal(verified) ? [] : warningsOf(context, verified)
}

function warningsOf(context: UpdateContext, verified: VerifiedRelease): string[] {
  if (Date.parse(verified.release.expires) >= context.clock.now()) return []
  return [
    `The release expired on ${verified.release.expires.slice(0, 10)} and nothing newer is offered: the source may be frozen or stale.`,
  ]
}
