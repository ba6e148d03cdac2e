export { type Admission, createDoor, type Door } from './admission.js'
export { createBodyReader } from './body-reader.js'
export {
  type CallerAddress,
  createCallerAddress,
  type IsTrustedProxy,
  readTrustedProxies,
} from './caller-address.js'
export { createConnectionCap } from './connection-cap.js'
export { connectRedisReplayGuard } from './redis-replay-guard.js'
export { type DoorRefusal, dropBody, writeRefusal } from './refusal.js'
export { createSignatureWorkers } from './signature-check.js'
export { watchStanding } from './standing.js'
export { createFailureBuckets } from './token-bucket.js'
