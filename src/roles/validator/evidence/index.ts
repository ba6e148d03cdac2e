/**
 * What the answers of a miner show together: weighed at the noise levels in force, kept beside the scores, with consequences.
 *
 * Tests named after a behaviour: evidence.test.ts (changes.ts, template-dates.ts), kept-answers.test.ts (export-bundle.ts).
 */
export type { EvidenceRow } from './changes.js'
export { type CheckedShare, openCheckedShare } from './checked-share.js'
export { countedModels, type IsBarred } from './counted-models.js'
export {
  type Evidence,
  openEvidence,
  type PairStanding,
} from './evidence.js'
export { type ExportedBundle, type ExportOptions, exportBundle } from './export-bundle.js'
export { type LevelsFor, type LevelsInForce, levelsFrom } from './levels.js'
