/**
 * The development chain: a Substrate node with one subnet, embedded in this process (docs/development/development-chain.md).
 * polkadot-js.test.ts and polkadot-api.test.ts run real clients against all of it. Tests named after a behaviour:
 * start.test.ts (options.ts).
 */
export type { DevelopmentChainOptions, GenesisNeuron } from './options.js'
export { type DevelopmentChain, type DevelopmentChainDeps, startDevelopmentChain } from './start.js'
