/**
 * Which miners serve which models, how good each is, and whom to ask next.
 *
 * Tests named after a behaviour: miners.test.ts (open-miners.ts, directory.ts, types.ts).
 */
export { addressedMiners } from './directory.js'
export { type MinersOptions, openMiners } from './open-miners.js'
export type { HubMiner, MinerReport, Miners, NotedVerdict, Turn, TurnEnd } from './types.js'
