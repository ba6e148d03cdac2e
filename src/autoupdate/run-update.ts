import { mkdir } from 'node:fs/promises'
import semver from 'semver'
import { TargonError } from '../errors.js'
import { applyUpdate, refusalError } from './apply-update.js'
import type { UpdateContext } from './context.js'
import { slotOf } from './layout.js'
import { withUpdateLock } from './lock.js'
import { findOffer, type Offer } from './offer.js'
import { launcherSource } from './open-update.js'
import { isComplete } from './stage-release.js'
import { readState } from './state.js'
import { beginProbation, currentRelease, returnTo } from './switch-release.js'

/** What a command or an unattended check did. */
export type UpdateOutcome =
  | Extract<Offer, { readonly kind: 'none' }>
  | {
      readonly kind: 'planned' | 'applied'
      readonly from: string
      readonly to: string
      readonly signedBy: string
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'rolled-back'; readonly from: string | undefined; readonly to: string }

/** Looks at the source under the lock, so that two updaters never fetch into the mirror at once. */
export async function checkUpdate(context: UpdateContext, wanted?: string): Promise<Offer> {
  await mkdir(context.layout.root, { recursive: true, mode: 0o700 })
  return await withUpdateLock(context.layout, () => findOffer(context, wanted))
}

/**
 * Plans an update and, unless `dryRun`, applies it.
 *
 * @throws TargonError UPDATE_REFUSED with the rule that spoke against it; the installed version keeps running.
 */
export async function runUpdate(
  context: UpdateContext,
  plan: { readonly wanted?: string; readonly dryRun: boolean },
): Promise<UpdateOutcome> {
  return await withUpdateLock(context.layout, async () => {
    const offer = await findOffer(context, plan.wanted)
    if (offer.kind === 'none') return offer
    if (offer.kind === 'refused') throw refusalError(offer.version, offer.refusal)
    const { verified, installed: from, warnings } = offer
    const outcome = { from, to: verified.version, signedBy: verified.signedBy, warnings }
    if (plan.dryRun) return { kind: 'planned', ...outcome }
    await applyUpdate(context, verified, launcherSource())
    return { kind: 'applied', ...outcome }
  })
}

/**
 * Goes back: from a release on trial to the one before it, else to the next lower version committed here.
 *
 * @throws TargonError UPDATE_NO_ROLLBACK when there is none with a complete slot.
 */
export async function rollBack(context: UpdateContext, wanted?: string): Promise<UpdateOutcome> {
  return await withUpdateLock(context.layout, async () => {
    const { layout } = context
    const state = await readState(layout)
    const from = await currentRelease(layout)
    const lower = state.committed.filter((version) => from === undefined || semver.lt(version, from))
    const before = state.state === 'probation' ? state.from : lower.sort(semver.rcompare)[0]
    const to = wanted ?? before
    if (to && state.committed.includes(to) && (await returnTo(layout, to)))
      return { kind: 'rolled-back', from, to }
    throw new TargonError(
      `There is no version to go back to${to ? ` (${to} has no complete slot here)` : ''}.`,
      {
        code: 'UPDATE_NO_ROLLBACK',
        fault: 'update',
        next: `Versions committed here: ${state.committed.join(', ') || 'none'}.`,
      },
    )
  })
}

/** Switches to a version already committed here without asking the source: `--to` an installed one. */
export async function switchToInstalled(context: UpdateContext, version: string): Promise<boolean> {
  return await withUpdateLock(context.layout, async () => {
    const state = await readState(context.layout)
    if (!state.committed.includes(version) || !(await isComplete(slotOf(context.layout, version))))
      return false
    await beginProbation(context.layout, context.clock, version)
    return true
  })
}
