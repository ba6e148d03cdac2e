/** What every other folder may import: time, errors, logging, output that never waits, durable files, keys, process-wide locks. */

export { type Breaker, createBreaker } from './breaker.js'
export {
  type CallerAddress,
  createCallerAddress,
  type IsTrustedProxy,
  networkOf,
  readTrustedProxies,
  unmapAddress,
} from './caller-address.js'
export {
  type CheckedFile,
  decodeChecked,
  encodeChecked,
  openCheckedFile,
  readBoundedFile,
} from './checked-file.js'
export { type CleanupStack, createCleanupStack } from './cleanup-stack.js'
export { type Clock, detachedClock, every, systemClock, whenAborted, withDeadline } from './clock.js'
export { allowDistantHosts } from './connection-attempts.js'
export { escapeControls, escapeControlsInLines } from './control-characters.js'
export { writeCsvLine } from './csv.js'
export { decodeText } from './decode-text.js'
export { createDeferred, type Deferred } from './deferred.js'
export { descriptorLimit, isDescriptorShortage, RAISE_DESCRIPTOR_LIMIT } from './descriptors.js'
export { download } from './download.js'
export { readIfExists, removeStaged, replaceFile, syncFolder } from './durable-file.js'
export { DeadlineError, type Fault, hasCode, isAbort, messageOf, TargonError } from './errors.js'
export { expandHome } from './expand-home.js'
export { createFailureBuckets, type FailureBuckets } from './failure-buckets.js'
export { forkModule } from './fork-module.js'
export { type HotkeyLock, type LockTimes, lockHotkey } from './hotkey-lock.js'
export { parseIpPort } from './ip-port.js'
export { isJsonObject, type JsonObject, parseJson } from './json.js'
export { exceedsJsonBounds, exceedsJsonDepth, type JsonBounds } from './json-depth.js'
export { LineWriter, type LineWriterOptions } from './line-writer.js'
export type { Log, LogFields } from './log.js'
export { maskPasswords } from './mask-passwords.js'

export { openFileOutput, openOutput } from './output.js'
export { dropOldest, putNewest } from './put-newest.js'
export { allowManyListeners, withScopedSignal } from './scoped-signal.js'
export { isSpecialAddress } from './special-address.js'
export {
  addressOf,
  initSr25519,
  pairFromSeed,
  publicKeyOf,
  type Sr25519Pair,
  sign,
  verify,
} from './sr25519.js'
export { Turns } from './turns.js'
export { type UnreadableAnswer, type UnreadableReason, UnreadableRequests } from './unreadable-requests.js'
export { packageVersion, SPEC_VERSION } from './version.js'
export { startWorkerThread } from './worker-thread.js'
