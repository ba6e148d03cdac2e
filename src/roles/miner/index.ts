/**
 * The miner: admits signed requests and serves them from model servers. miner.ts puts it together; admission/ decides who
 * may call, serving/ is the public port, announcing/ publishes the address on chain.
 * Tests named after a behaviour: stop-at-start.test.ts (start.ts), reload.test.ts, python-request.test.ts and
 * openai-client.test.ts (miner.ts), status-screen.test.ts
 * (status-document.ts).
 */
export { minerApi } from './api.js'
export { startMiner } from './start.js'
export { type MinerStatus, minerStatus } from './status-document.js'
export { writeMinerStatus } from './status-screen.js'
export type { MinerDeps, MinerReport } from './types.js'
