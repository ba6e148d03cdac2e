export { encryptForRound, type TimelockRandomness } from './encrypt.js'
export { encodeWeightsPayload } from './payload.js'
export { type BeaconClock, type EpochState, firstRevealBlock, revealRound } from './reveal-round.js'
