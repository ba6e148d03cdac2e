/**
 * Epochs: following the chain, the jobs of each epoch, and setting its weights.
 *
 * Tests named after a behaviour: reregistered.property.test.ts (epochs.ts, weights-job.ts).
 */
export { followBlocks } from './block-feed.js'
export { epochAt } from './epoch-task.js'
export { type EpochDeps, type Epochs, type NotedAttempt, startEpochs } from './epochs.js'
export type { ConfirmedWeights } from './weights-job.js'
