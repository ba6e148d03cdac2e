/** Decides which requests are served: who signed them, whether they may call, how much they may take, and the refusals. */
export { Admission, type AdmittedRequest } from './admission.js'
export { BodyReader } from './body-reader.js'
export {
  type CallerAddress,
  createCallerAddress,
  type IsTrustedProxy,
  readTrustedProxies,
} from './caller-address.js'
export { createConnectionCap } from './connection-cap.js'
export { createFailureBuckets } from './failure-buckets.js'
export { connectRedisReplayGuard } from './redis-replay-guard.js'
export {
  type AdmissionRefusal,
  BAD_MODEL_LIST,
  BAD_REQUEST_BODY,
  DRAINING,
  INTERNAL_ERROR,
  MODEL_MISMATCH,
  NOT_FOUND,
  UNCLEAR_REQUEST,
} from './refusals.js'
export { type RegistrationWatch, watchRegistration } from './registration.js'
export { createSignatureWorkers } from './signature-check.js'
export { discardBody, writeRefusal } from './write-refusal.js'
