/**
 * Decides which requests are served: who signed them, whether they may call, how much they may take, and the refusals. Tests
 * named after a behaviour: write-refusal.test.ts (refusals.ts).
 */
export { Admission, type AdmittedRequest } from './admission.js'
export { BodyReader } from './body-reader.js'
export { createConnectionCap, createConnectionCounts } from './connection-cap.js'
export { createGate, type Entry, type Gate, type PlaceTaken } from './gate.js'
export type { PlaceClaim, Release } from './places.js'
export { connectRedisReplayGuard } from './redis-replay-guard.js'
export {
  type AdmissionRefusal,
  BAD_MODEL_LIST,
  BAD_REQUEST_BODY,
  BODY_TOO_COMPLEX,
  DRAINING,
  HEADERS_TOO_LARGE,
  HEADERS_TOO_SLOW,
  INTERNAL_ERROR,
  MODEL_MISMATCH,
  MODEL_MISSING,
  NO_DECISION,
  NOT_FOUND,
  TOO_MANY_BYTES,
  TOO_MANY_REQUESTS,
  UNCLEAR_REQUEST,
  UNREADABLE_REQUEST,
  violates,
} from './refusals.js'
export {
  type CallerStanding,
  type Registered,
  type RegistrationWatch,
  watchRegistration,
} from './registration.js'
export { createSignatureWorkers } from './signature-check.js'
export { discardBody, refusalBody, writeRefusal } from './write-refusal.js'
