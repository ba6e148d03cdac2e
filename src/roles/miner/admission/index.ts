export { type Admission, type AdmittedRequest, createAdmission } from './admission.js'
export { createBodyReader } from './body-reader.js'
export {
  type CallerAddress,
  createCallerAddress,
  type IsTrustedProxy,
  readTrustedProxies,
} from './caller-address.js'
export { createConnectionCap } from './connection-cap.js'
export { createFailureBuckets } from './failure-buckets.js'
export { connectRedisReplayGuard } from './redis-replay-guard.js'
export { type AdmissionRefusal, dropBody, writeRefusal } from './refusal.js'
export { watchRegistration } from './registration.js'
export { createSignatureWorkers } from './signature-check.js'
