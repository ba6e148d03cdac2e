export type { LocalnetReport, Snapshot } from './localnet/index.js'
export { connectNeuronChain, loadNeuronHotkey, type NeuronPlace, type PasswordWays } from './neuron.js'
export type { AskDeps, JudgedReply, ListedMiner, Miner } from './query/index.js'
export type { RoleDeps, RunningRole } from './role.js'
