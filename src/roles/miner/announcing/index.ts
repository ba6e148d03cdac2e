/** Publishes the miner's address on chain (the axon), so that validators find it. */
export { announce } from './announce.js'
export { resolveExternalAddress } from './external-address.js'
