import { parentPort } from 'node:worker_threads'
import { type Claim, checkSignature } from '../../epistula/index.js'
import { initSr25519 } from '../../sr25519.js'

/** A check asked of a worker, and its answer. */
export interface CheckJob {
  readonly id: number
  readonly claim: Claim
  readonly bodyHash: string
}

export interface CheckResult {
  readonly id: number
  readonly isGood: boolean
}

/** Said once, when jobs can be taken. */
export const READY = 'ready'

await initSr25519()
parentPort?.on('message', ({ id, claim, bodyHash }: CheckJob) => {
  const result: CheckResult = { id, isGood: checkSignature(claim, bodyHash) === undefined }
  parentPort?.postMessage(result)
})
parentPort?.postMessage(READY)
