import { parentPort } from 'node:worker_threads'
import { type Claim, checkSignature } from '../../../epistula/index.js'
import { initSr25519 } from '../../../kernel/index.js'

/** A check asked of a worker. A message carries many, and they are answered in their order. */
export interface CheckJob {
  readonly claim: Claim
  readonly bodyHash: string
}

/** For each job in its order: is the signature good? */
export type CheckAnswers = readonly boolean[]

/** Said once, when jobs can be taken. */
export const READY = 'ready'

/** Answers that travel together: a message costs the streams' thread some 10 µs, a check takes this one 250. */
const ANSWERS_PER_MESSAGE = 4

await initSr25519()
parentPort?.on('message', (jobs: readonly CheckJob[]) => {
  for (let at = 0; at < jobs.length; at += ANSWERS_PER_MESSAGE) {
    const answers: CheckAnswers = jobs
      .slice(at, at + ANSWERS_PER_MESSAGE)
      .map(({ claim, bodyHash }) => checkSignature(claim, bodyHash) === undefined)
    parentPort?.postMessage(answers)
  }
})
parentPort?.postMessage(READY)
