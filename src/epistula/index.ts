/** Epistula, the protocol of signed requests: signs them, verifies them and rejects replays. */

export { type EpistulaFetchOptions, epistulaFetch } from './epistula-fetch.js'
export { hashBody } from './message.js'
export { type Refusal, type RefusalCode, refuse } from './refusal.js'
export {
  createReplayMemory,
  type ReplayGuard,
  type ReplayMemory,
  type ReplayVerdict,
  replayKey,
  type SignedRequestId,
} from './replay-guard.js'
export { secretSignatures } from './secret-signatures.js'
export { type EpistulaHeaders, signRequest, type UnsignedRequest } from './sign-request.js'
export {
  type Caller,
  type Claim,
  checkSignature,
  checkTimestamp,
  type DistinctHeaders,
  readCaller,
  readClaim,
  verifyRequest,
} from './verify-request.js'
