import { mkdir } from 'node:fs/promises'
import { TargonError } from '../errors.js'
import type { UpdateContext } from './context.js'
import type { Refusal, VerifiedRelease } from './release.js'
import { stageRelease } from './stage-release.js'
import { readState } from './state.js'
import { beginProbation, currentRelease, installLauncher, markBad } from './switch-release.js'

/**
 * Stages a verified release and puts it on trial. The caller holds the update lock and restarts the role; the launcher
 * starts the new release, and goes back when it does not prove healthy.
 *
 * @throws TargonError UPDATE_ON_TRIAL while another release is on trial, UPDATE_REFUSED when the slot cannot be made.
 */
export async function applyUpdate(
  context: UpdateContext,
  verified: VerifiedRelease,
  launcherSource: string,
): Promise<{ readonly from: string | undefined; readonly to: string }> {
  const state = await readState(context.layout)
  if (state.state === 'probation') {
    throw new TargonError(`Release ${state.to} is still on trial.`, {
      code: 'UPDATE_ON_TRIAL',
      fault: 'update',
      next: 'Wait until it has proven healthy, or run targon update --rollback.',
    })
  }
  await mkdir(context.layout.releases, { recursive: true, mode: 0o700 })
  const refusal = await stageRelease(context, verified)
  if (refusal) {
    if (refusal.rule === 'self-test') await markBad(context.layout, verified.version)
    throw refusalError(verified.version, refusal)
  }
  const from = await currentRelease(context.layout)
  await installLauncher(context.layout, launcherSource)
  await beginProbation(context.layout, context.clock, verified.version)
  return { from, to: verified.version }
}

export function refusalError(version: string, refusal: Refusal): TargonError {
  return new TargonError(`Release ${version} was refused (${refusal.rule}): ${refusal.detail}.`, {
    code: 'UPDATE_REFUSED',
    fault: 'update',
    next: 'The installed version keeps running.',
    facts: { version, rule: refusal.rule },
  })
}
