/**
 * Signed releases: check the source, verify, stage in a slot, switch, prune, and the unattended updates of a role.
 *
 * Tests named after a behaviour: two-updaters.test.ts (lock.ts, apply-update.ts); launcher.test.ts, launcher-faults.test.ts
 * and launcher-checkout.test.ts cover deploy/launcher.mjs.
 */
export { type AppliedUpdate, applyUpdate } from './apply-update.js'
export type { UpdateContext } from './context.js'
export { type Layout, layoutOf, slotOf } from './layout.js'
export { withUpdateLock } from './lock.js'
export { newestTag } from './newest-tag.js'
export { installCommand, installPublished, isNewer, newestPublished } from './npm-source.js'
export { findOffer, type Offer } from './offer.js'
export { openUpdate } from './open-update.js'
export { pruneReleases } from './prune-releases.js'
export type { ReleaseFile, ReleaseRefusal, VerifiedRelease } from './release.js'
export { checkUpdate, rollBack, runUpdate, type UpdateOutcome } from './run-update.js'

export { pinnedSigners } from './signers.js'
export { readState, type UpdateState } from './state.js'
export { confirmRelease, currentRelease, rollBackTo } from './switch-release.js'
export { digestTree, parseTree } from './tree-digest.js'
export {
  type FoundRelease,
  UnattendedUpdate,
  type UpdateCheckResult,
  type WeightsWindow,
} from './unattended.js'
