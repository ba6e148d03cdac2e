/**
 * The check of a miner's own model servers: asks them as a validator does and says what a validator will see. Tests named
 * after a behaviour: check-miner.test.ts (check-model.ts, samples.ts, server-findings.ts, verdict-findings.ts,
 * evidence-findings.ts, answer-findings.ts), findings.test.ts (types.ts).
 */
export { checkMiner } from './check-miner.js'
export { writeCheck } from './report.js'
export type { CheckOptions, MinerCheck } from './types.js'
