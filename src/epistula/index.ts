export { type EpistulaFetchOptions, epistulaFetch } from './epistula-fetch.js'
export type { DistinctHeaders } from './headers.js'
export { hashBody } from './message.js'
export { type Refusal, type RefusalCode, refuse } from './refusal.js'
export {
  createReplayMemory,
  type ReplayAnswer,
  type ReplayGuard,
  type ReplayMemory,
  replayKey,
  type SignedOnce,
} from './replay-guard.js'
export { secretSignatures } from './secret-signatures.js'
export { type EpistulaHeaders, signRequest, type UnsignedRequest } from './sign-request.js'
export {
  type Caller,
  type Claim,
  checkSignature,
  checkTimestamp,
  readCaller,
  readClaim,
  verifyRequest,
} from './verify-request.js'
