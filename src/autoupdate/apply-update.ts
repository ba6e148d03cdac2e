import { mkdir } from 'node:fs/promises'
import { TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { installedVersion } from './offer.js'
import type { ReleaseRefusal, VerifiedRelease } from './release.js'
import { stageRelease } from './stage-release.js'
import { readState } from './state.js'
import { beginProbation, installLauncher, markBad } from './switch-release.js'

/** Result of an update that was not refused. */
export type AppliedUpdate =
  | { readonly kind: 'applied'; readonly from: string; readonly to: string }
  /** The slot is complete but the role must not restart now; the next attempt reuses the slot. */
  | { readonly kind: 'postponed' }

/**
 * Stages a verified release and puts it on probation. The caller holds the update lock and restarts the role; the
 * launcher then starts the new release and rolls back unless it becomes healthy.
 *
 * @param mayRestart called once the slot is complete, because building it takes minutes (R10).
 * @throws TargonError UPDATE_ON_TRIAL while another release is on probation, UPDATE_REFUSED when staging fails.
 */
export async function applyUpdate(
  context: UpdateContext,
  verified: VerifiedRelease,
  launcherSource: string,
  mayRestart: () => boolean = () => true,
): Promise<AppliedUpdate> {
  await requireNoProbation(context)
  await mkdir(context.layout.releases, { recursive: true, mode: 0o700 })
  const refusal = await stageRelease(context, verified)
  if (refusal) {
    if (refusal.rule === 'self-test') await markBad(context.layout, verified.version)
    throw refusalError(verified.version, refusal)
  }
  context.signal.throwIfAborted()
  if (!mayRestart()) return { kind: 'postponed' }
  const from = await installedVersion(context)
  await installLauncher(context.layout, launcherSource)
  await beginProbation(context.layout, verified.version)
  return { kind: 'applied', from, to: verified.version }
}

/** @throws TargonError UPDATE_ON_TRIAL while a release is on probation. */
export async function requireNoProbation({ layout }: UpdateContext): Promise<void> {
  const state = await readState(layout)
  if (state.state !== 'probation') return
  throw new TargonError(`Release ${state.to} is still on probation.`, {
    code: 'UPDATE_ON_TRIAL',
    fault: 'update',
    next: 'Start it and wait until it is confirmed healthy, or run targon update --rollback.',
  })
}

export function refusalError(version: string, refusal: ReleaseRefusal): TargonError {
  return new TargonError(`Release ${version} was refused (${refusal.rule}): ${refusal.detail}.`, {
    code: 'UPDATE_REFUSED',
    fault: 'update',
    next: 'The installed version keeps running.',
    facts: { version, rule: refusal.rule },
  })
}
