import {
  applyUpdate,
  confirmRelease,
  currentRelease,
  findOffer,
  type UpdateContext,
  withUpdateLock,
} from '../../src/autoupdate/index.js'

/** The launcher that releases contain. */
export const launcherPath = new URL('../../deploy/launcher.mjs', import.meta.url).pathname

/** Puts the offered release on probation. @returns `applied`, the violated rule, or the kind of the offer. */
export async function installRelease(context: UpdateContext): Promise<string> {
  const offer = await findOffer(context)
  if (offer.kind !== 'available') return offer.kind === 'refused' ? offer.refusal.rule : offer.kind
  await withUpdateLock(context, (locked) => applyUpdate(locked, offer.verified, launcherPath))
  return 'applied'
}

/** Installs what the source offers and confirms it as a healthy role does. @returns the version, or what `installRelease` returns. */
export async function installAndConfirm(context: UpdateContext): Promise<string> {
  const outcome = await installRelease(context)
  const version = await currentRelease(context.layout)
  if (outcome !== 'applied' || version === undefined) return outcome
  await confirmRelease(context.layout, version)
  return version
}
