export type { Chain } from './node/index.js'
export type { DevelopmentChainOptions, GenesisAccount, GenesisNeuron } from './options.js'
export { type DevelopmentChain, type DevelopmentChainDeps, startDevelopmentChain } from './start.js'
