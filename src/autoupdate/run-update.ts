import semver from 'semver'
import { TargonError } from '../kernel/index.js'
import { applyUpdate, refusalError, refuseOnTrial } from './apply-update.js'
import type { UpdateContext } from './context.js'
import { slotOf } from './layout.js'
import { withUpdateLock } from './lock.js'
import { findOffer, type Offer } from './offer.js'
import { launcherSource } from './open-update.js'
import { isComplete } from './stage-release.js'
import { readState } from './state.js'
import { beginProbation, currentRelease, returnTo } from './switch-release.js'

/** What a command did. */
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
      /** `switched`: to another installed version, on trial; `rolled-back`: to one that had proven healthy. */
      readonly kind: 'switched' | 'rolled-back'
      readonly from: string | undefined
      readonly to: string
    }

/** Looks at the source under the lock, so that two updaters never fetch into the mirror at once. */
export async function checkUpdate(given: UpdateContext, wanted?: string): Promise<Offer> {
  return await withUpdateLock(given, (context) => findOffer(context, wanted))
}

/**
 * Plans an update and, unless `dryRun`, applies it. A wanted version that was committed here and still has its slot is
 * switched to without asking the source.
 *
 * @throws TargonError UPDATE_REFUSED with the rule that spoke against it, UPDATE_ON_TRIAL; the installed version keeps
 * running.
 */
export async function runUpdate(
  given: UpdateContext,
  plan: { readonly wanted?: string | undefined; readonly dryRun: boolean },
): Promise<UpdateOutcome> {
  return await withUpdateLock(given, async (context) => {
    const { wanted, dryRun } = plan
    if (wanted !== undefined && !dryRun) {
      const switched = await switchToInstalled(context, wanted)
      if (switched) return switched
    }
    const offer = await findOffer(context, wanted)
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
 * Goes back: from a release on trial to the one before it, else to the next lower version committed here.
 *
 * @throws TargonError UPDATE_NO_ROLLBACK when there is none with a complete slot.
 */
export async function rollBack(given: UpdateContext, wanted?: string): Promise<UpdateOutcome> {
  return await withUpdateLock(given, async ({ layout }) => {
    const state = await readState(layout)
    const from = await currentRelease(layout)
    const candidates = wanted === undefined ? await waysBack(given, from) : [wanted]
    for (const to of candidates)
      if (state.committed.includes(to) && (await returnTo(layout, to)))
        return { kind: 'rolled-back', from, to }
    throw new TargonError(
      `There is no version to go back to${wanted === undefined ? '' : ` (${wanted} has no complete slot here)`}.`,
      {
        code: 'UPDATE_NO_ROLLBACK',
        fault: 'update',
        next: `Versions committed here: ${state.committed.join(', ') || 'none'}.`,
      },
    )
  })
}

/** Versions to go back to, the best first. */
async function waysBack({ layout }: UpdateContext, from: string | undefined): Promise<string[]> {
  const state = await readState(layout)
  const lower = state.committed
    .filter((version) => from === undefined || semver.lt(version, from))
    .sort(semver.rcompare)
  return state.state === 'probation' && state.from !== null ? [state.from, ...lower] : lower
}

/** `--to` a version that is installed already: down to one that has proven healthy at once, up to one on trial. */
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
    await returnTo(layout, to)
    return { kind: 'rolled-back', from, to }
  }
  await refuseOnTrial(context)
  await beginProbation(layout, to)
  return { kind: 'switched', from, to }
}
