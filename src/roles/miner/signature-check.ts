import type { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { createDeferred } from '../../deferred.js'
import { type Claim, checkSignature, type Refusal, refuse } from '../../epistula/index.js'
import { startWorkerThread } from '../../worker-thread.js'
import type { CheckJob, CheckResult, READY } from './signature-worker.js'

/** Where signatures are checked: here, or on threads of their own so that streams do not wait for them. */
export interface SignatureCheck {
  /** @returns undefined when the signature is good. */
  check(claim: Claim, bodyHash: string): Refusal | undefined | Promise<Refusal | undefined>
  /** Checks that threads have answered so far. */
  readonly checkedOnThreads: number
  close(): Promise<void>
}

/** On the calling thread. `initSr25519` must have been awaited. */
export const inlineSignatureCheck: SignatureCheck = {
  check: checkSignature,
  checkedOnThreads: 0,
  close: async () => {},
}

interface Waiting {
  readonly job: CheckJob
  readonly resolve: (refusal: Refusal | undefined) => void
}

interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting>
}

/**
 * A check costs about 0.25 ms; on a thread of its own the streams of other callers do not feel it. Resolves when the
 * threads take jobs: the first callers must not wait for their start.
 */
export async function createSignatureWorkers(count: number, log: Logger): Promise<SignatureCheck> {
  if (count === 0) return inlineSignatureCheck
  const threads = new Set<Thread>()
  let nextId = 0
  let checkedOnThreads = 0
  const onChecked = () => {
    checkedOnThreads++
  }
  await Promise.all(Array.from({ length: count }, () => addThread(threads, log, onChecked)))
  return {
    get checkedOnThreads() {
      return checkedOnThreads
    },
    check: (claim, bodyHash) => {
      const thread = leastBusy(threads)
      // Threads that died are not replaced: checking here is slower, never wrong.
      if (thread === undefined) return checkSignature(claim, bodyHash)
      const job: CheckJob = { id: nextId++, claim, bodyHash }
      return new Promise((resolve) => {
        thread.waiting.set(job.id, { job, resolve })
        thread.worker.postMessage(job)
      })
    },
    close: async () => {
      const all = [...threads]
      threads.clear()
      await Promise.all(all.map(({ worker }) => worker.terminate()))
    },
  }
}

function leastBusy(threads: ReadonlySet<Thread>): Thread | undefined {
  let best: Thread | undefined
  for (const thread of threads)
    if (best === undefined || thread.waiting.size < best.waiting.size) best = thread
  return best
}

/** Resolves when the thread takes jobs, or has ended without. */
async function addThread(threads: Set<Thread>, log: Logger, onChecked: () => void): Promise<void> {
  const worker = startWorkerThread(new URL('./signature-worker', import.meta.url))
  const thread: Thread = { worker, waiting: new Map() }
  threads.add(thread)
  const settled = createDeferred<void>()
  worker.on('message', (message: CheckResult | typeof READY) => {
    if (message === 'ready') return settled.resolve()
    const { id, isGood } = message
    onChecked()
    thread.waiting.get(id)?.resolve(isGood ? undefined : refuse('SIGNATURE_MISMATCH'))
    thread.waiting.delete(id)
  })
  worker.on('error', (error) => log.error({ err: error }, 'signature thread failed'))
  worker.on('exit', () => {
    if (threads.delete(thread)) log.warn({ left: threads.size }, 'signature thread ended')
    for (const { job, resolve } of thread.waiting.values()) resolve(checkSignature(job.claim, job.bodyHash))
    thread.waiting.clear()
    settled.resolve()
  })
  await settled.promise
}
