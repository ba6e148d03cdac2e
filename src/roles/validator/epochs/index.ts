export { followBlocks } from './block-feed.js'
export { startEpoch } from './epoch.js'
export { epochAt } from './epoch-task.js'
export type { ConfirmedWeights } from './weights-job.js'
