import semver from 'semver'
import { TargonError } from '../kernel/index.js'
import { applyUpdate, refusalError, requireNoProbation } from './apply-update.js'
import type { UpdateContext } from './context.js'
import { slotOf } from './layout.js'
import { withUpdateLock } from './lock.js'
import { findOffer, type Offer } from './offer.js'
import { launcherSource } from './open-update.js'
import { isComplete } from './stage-release.js'
import { readState } from './state.js'
import { beginProbation, currentRelease, rollBackTo, rollBackToCheckout } from './switch-release.js'

/** What an update command did. */
export type UpdateOutcome =
  | Extract<Offer, { readonly kind: 'none' }>
  | {
      readonly kind: 'planned' | 'applied'
      readonly from: string
      readonly to: string
      readonly signedBy: string
      readonly warnings: readonly string[]
    }
  | {
      /** `switched`: an installed version was put on probation; `rolled-back`: to a version committed here. */
      readonly kind: 'switched' | 'rolled-back'
      readonly from: string | undefined
      readonly to: string
    }
  | {
      readonly kind: 'rolled-back-to-checkout'
      readonly from: string
      /** Its folder. */
      readonly checkout: string
    }

/** Checks the source under the lock, so that two updaters never fetch into the mirror at the same time. */
export async function checkUpdate(given: UpdateContext, requested?: string): Promise<Offer> {
  return await withUpdateLock(given, (context) => findOffer(context, requested))
}

/**
 * Plans an update and, unless `dryRun`, applies it. A requested version that was committed here and still has its slot is
 * switched to without contacting the source.
 *
 * @throws TargonError UPDATE_REFUSED with the violated rule, UPDATE_ON_TRIAL; the installed version keeps running.
 */
export async function runUpdate(
  given: UpdateContext,
  plan: { readonly requested?: string | undefined; readonly dryRun: boolean },
): Promise<UpdateOutcome> {
  return await withUpdateLock(given, async (context) => {
    const { requested, dryRun } = plan
    if (requested !== undefined && !dryRun) {
      const switched = await switchToInstalled(context, requested)
      if (switched) return switched
    }
    const offer = await findOffer(context, requested)
    if (offer.kind === 'none') return offer
    if (offer.kind === 'refused') throw refusalError(offer.version, offer.refusal)
    const { verified, installed: from, warnings } = offer
    const outcome = { from, to: verified.version, signedBy: verified.signedBy, warnings }
    if (dryRun) return { kind: 'planned', ...outcome }
    context.onProgress(`plan: ${from} → ${verified.version}, signed by ${verified.signedBy}`)
    await applyUpdate(context, verified, launcherSource())
    return { kind: 'applied', ...outcome }
  })
}

/**
 * Rolls back: from a release on probation to the one before it, else to the next lower version committed here, else to the
 * checkout that this process runs from.
 *
 * @throws TargonError UPDATE_NO_ROLLBACK when no such version has a complete slot and this process runs from a release.
 */
export async function rollBack(given: UpdateContext, requested?: string): Promise<UpdateOutcome> {
  return await withUpdateLock(given, async ({ layout }) => {
    const state = await readState(layout)
    const from = await currentRelease(layout)
    const candidates = requested === undefined ? await rollbackCandidates(given, from) : [requested]
    for (const to of candidates)
      if (state.committed.includes(to) && (await rollBackTo(layout, to)))
        return { kind: 'rolled-back', from, to }
    if (requested === undefined && from !== undefined) return await leaveReleases(given, from)
    throw new TargonError(
      requested === undefined
        ? 'There is no earlier version to roll back to.'
        : `Cannot roll back to ${requested}: it was never committed here or its slot is incomplete.`,
      {
        code: 'UPDATE_NO_ROLLBACK',
        fault: 'update',
        next: `Versions committed here: ${state.committed.join(', ') || 'none'}.`,
      },
    )
  })
}

async function leaveReleases({ layout, checkout }: UpdateContext, from: string): Promise<UpdateOutcome> {
  if (checkout !== undefined) {
    await rollBackToCheckout(layout)
    return { kind: 'rolled-back-to-checkout', from, checkout }
  }
  throw new TargonError(`Release ${from} is the first one here, and only its checkout is older.`, {
    code: 'UPDATE_NO_ROLLBACK',
    fault: 'update',
    next: `Return to the checkout; run in its folder: node bin/run.js update --rollback --update.root ${layout.root}.`,
  })
}

/** Versions to roll back to, in order of preference. */
async function rollbackCandidates(
  { layout, runningVersion }: UpdateContext,
  from = runningVersion,
): Promise<string[]> {
  const state = await readState(layout)
  const lower = state.committed.filter((version) => semver.lt(version, from)).sort(semver.rcompare)
  return state.state === 'probation' && state.from !== null ? [state.from, ...lower] : lower
}

/** `--to` an installed version: a lower one is switched to directly, a higher one is put on probation again. */
async function switchToInstalled(
  context: UpdateContext,
  to: string,
): Promise<Extract<UpdateOutcome, { kind: 'switched' | 'rolled-back' }> | undefined> {
  const { layout } = context
  const state = await readState(layout)
  const from = await currentRelease(layout)
  if (to === from || !state.committed.includes(to) || !(await isComplete(slotOf(layout, to))))
    return undefined
  if (from !== undefined && semver.lt(to, from)) {
    await rollBackTo(layout, to)
    return { kind: 'rolled-back', from, to }
  }
  await requireNoProbation(context)
  await beginProbation(layout, to)
  return { kind: 'switched', from, to }
}
