/**
 * Decides which requests are served: who signed them, whether they may call, how much they may take, and the refusals. Tests
 * named after a behaviour: write-refusal.test.ts (refusals.ts).
 */
export { Admission, type AdmittedRequest } from './admission.js'
export { BodyReader } from './body-reader.js'
export { createConnectionCap } from './connection-cap.js'
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
  NOT_FOUND,
  TOO_MANY_BYTES,
  UNCLEAR_REQUEST,
  UNREADABLE_REQUEST,
  violates,
} from './refusals.js'
export { type RegistrationWatch, watchRegistration } from './registration.js'
export { createSignatureWorkers } from './signature-check.js'
export { discardBody, refusalBody, writeRefusal } from './write-refusal.js'
