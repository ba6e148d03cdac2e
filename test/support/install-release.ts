import { applyUpdate, findOffer, type UpdateContext, withUpdateLock } from '../../src/autoupdate/index.js'

/** The launcher as releases carry it. */
export const launcherPath = new URL('../../deploy/launcher.mjs', import.meta.url).pathname

/** Puts what the source offers on trial. @returns `applied`, or the rule or the kind of offer that spoke against it. */
export async function installRelease(context: UpdateContext, wanted?: string): Promise<string> {
  const offer = await findOffer(context, wanted)
  if (offer.kind !== 'available') return offer.kind === 'refused' ? offer.refusal.rule : offer.kind
  await withUpdateLock(context, (locked) => applyUpdate(locked, offer.verified, launcherPath))
  return 'applied'
}
