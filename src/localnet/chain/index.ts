/**
 * The development chain: a Substrate node with one subnet, embedded in this process (docs/development/development-chain.md).
 * Tests named after a behaviour: polkadot-js.test.ts and polkadot-api.test.ts (real clients on all of it), start.test.ts
 * (options.ts).
 */
export type { DevelopmentChainOptions, GenesisNeuron } from './options.js'
export { type DevelopmentChain, type DevelopmentChainDeps, startDevelopmentChain } from './start.js'
