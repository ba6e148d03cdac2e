import { mkdir } from 'node:fs/promises'
import { TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { installedVersion } from './offer.js'
import type { Refusal, VerifiedRelease } from './release.js'
import { stageRelease } from './stage-release.js'
import { readState } from './state.js'
import { beginProbation, installLauncher, markBad } from './switch-release.js'

/** How an update that was not refused ended. */
export type Applied =
  | { readonly kind: 'applied'; readonly from: string; readonly to: string }
  /** The slot is complete, but this is no moment to restart; the next attempt finds it ready. */
  | { readonly kind: 'put-off' }

/**
 * Stages a verified release and puts it on trial. The caller holds the update lock and restarts the role; the launcher
 * starts the new release, and goes back when it does not prove healthy.
 *
 * @param mayRestart asked again when the slot is complete, since building it takes minutes (R10).
 * @throws TargonError UPDATE_ON_TRIAL while another release is on trial, UPDATE_REFUSED when the slot cannot be made.
 */
export async function applyUpdate(
  context: UpdateContext,
  verified: VerifiedRelease,
  launcherSource: string,
  mayRestart: () => boolean = () => true,
): Promise<Applied> {
  await refuseOnTrial(context)
  await mkdir(context.layout.releases, { recursive: true, mode: 0o700 })
  const refusal = await stageRelease(context, verified)
  if (refusal) {
    if (refusal.rule === 'self-test') await markBad(context.layout, verified.version)
    throw refusalError(verified.version, refusal)
  }
  context.signal.throwIfAborted()
  if (!mayRestart()) return { kind: 'put-off' }
  const from = await installedVersion(context)
  await installLauncher(context.layout, launcherSource)
  await beginProbation(context.layout, verified.version)
  return { kind: 'applied', from, to: verified.version }
}

/** @throws TargonError UPDATE_ON_TRIAL. */
export async function refuseOnTrial({ layout }: UpdateContext): Promise<void> {
  const state = await readState(layout)
  if (state.state !== 'probation') return
  throw new TargonError(`Release ${state.to} is still on trial.`, {
    code: 'UPDATE_ON_TRIAL',
    fault: 'update',
    next: 'Start it and wait until it has proven healthy, or run targon update --rollback.',
  })
}

export function refusalError(version: string, refusal: Refusal): TargonError {
  return new TargonError(`Release ${version} was refused (${refusal.rule}): ${refusal.detail}.`, {
    code: 'UPDATE_REFUSED',
    fault: 'update',
    next: 'The installed version keeps running.',
    facts: { version, rule: refusal.rule },
  })
}
