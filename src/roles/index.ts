/** What all roles share: their keys, chain connection, updates and status, and the tools of a validator. */
export { readLocalStatus } from './local-status.js'
export {
  connectNeuronChain,
  loadNeuronHotkey,
  type NeuronPlace,
  type PasswordSources,
  ROLE_FIRST_CONNECT_MS,
} from './neuron.js'
export type { ListedMiner, Miner, QueryOptions, QueryReply } from './query/index.js'
export { type RunningNeurons, readNeurons } from './read-neurons.js'
export type { RoleDeps, RunningRole, ServerRole } from './role.js'
export { isUnattended, openSelfUpdate, type SelfUpdate } from './self-update.js'
export type { ExplainedMiner, ExplainedReport, ValidatorStatus } from './validator/index.js'
export { connectValidatorChain, type GivenPlace, netuidOf, type ValidatorChain } from './validator-chain.js'
export { openValidatorTools, type ValidatorTools } from './validator-tools.js'
export { type PreviewedWeight, previewWeights, type WeightsPreview } from './weights-preview.js'
