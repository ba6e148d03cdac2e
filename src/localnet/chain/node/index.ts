/**
 * The Substrate node: blocks, transaction pool, validation and execution of extrinsics.
 * Tests named after a behaviour: transactions.test.ts (apply.ts, chain.ts, extrinsic.ts, validity.ts),
 * ../polkadot-js.test.ts (runtime-api.ts).
 */
export type { Block, Header } from './block.js'
export { BLOCK_HASH_COUNT, Chain } from './chain.js'
export { Listeners } from './listeners.js'
export type { TransactionStatus } from './pool.js'
export { priorityTooLow, RpcError, stateDiscarded, temporarilyBanned, unknownBlock } from './rpc-error.js'
export { callRuntimeApi } from './runtime-api.js'
export { type Sealing, startSealing } from './sealing.js'
export { feeOf } from './validity.js'
