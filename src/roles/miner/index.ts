export { startMiner } from './start.js'
export type { MinerDeps, MinerReport, MinerStatus } from './types.js'
