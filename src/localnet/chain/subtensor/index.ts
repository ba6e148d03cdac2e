/**
 * SubtensorModule in TypeScript: calls, the block hook, consensus and the reads behind the runtime APIs.
 * Tests named after a behaviour: calls.test.ts (transaction-extension.ts, weights.ts), null-consensus.test.ts (commits.ts,
 * consensus-mode.ts, epoch.ts), ../polkadot-js.test.ts (neurons.ts).
 */
export { endow, raoOf, transfer } from './balances.js'
export { setConsensus } from './consensus-mode.js'
export { type ChainRules, DispatchError, type PalletContext, type ReadContext } from './context.js'
export { dispatchCall } from './dispatch.js'
export { hyperparametersOf, metagraphOf, selectMetagraph } from './metagraph.js'
export { neuron, neuronLite, neurons, neuronsLite } from './neurons.js'
export { onInitialize } from './on-initialize.js'
export { registerNeuron } from './registration.js'
export { nextEpochStartBlock } from './schedule.js'
export { alphaPriceOf, dynamicInfoOf, ofAllSubnets, subnetInfoOf, subnetStateOf } from './subnet-views.js'
export { customErrorCodeOf, isFeeless, validateCall } from './transaction-extension.js'
export { trimUids } from './trim.js'
