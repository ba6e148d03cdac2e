import type { Worker } from 'node:worker_threads'
import { type Claim, checkSignature, type Refusal, refuse } from '../../../epistula/index.js'
import { createDeferred, type Log, startWorkerThread } from '../../../kernel/index.js'
import type { CheckAnswers, CheckJob, READY } from './signature-worker.js'

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

interface Waiting extends CheckJob {
  readonly resolve: (refusal: Refusal | undefined) => void
}

/**
 * A check costs about 0.25 ms; on a thread of its own the streams of other callers do not feel it. Resolves when the
 * threads take jobs: the first callers must not wait for their start.
 */
export async function createSignatureWorkers(count: number, log: Log): Promise<SignatureCheck> {
  if (count === 0) return inlineSignatureCheck
  const threads = new Set<CheckThread>()
  let checkedOnThreads = 0
  const start = async () => {
    const thread = new CheckThread(log, (answers) => {
      checkedOnThreads += answers
    })
    threads.add(thread)
    thread.onEnd = () => {
      if (threads.delete(thread))
        log.warn({ event: 'signature-thread-ended', left: threads.size }, 'a signature thread ended')
    }
    await thread.settled
  }
  await Promise.all(Array.from({ length: count }, start))
  return {
    get checkedOnThreads() {
      return checkedOnThreads
    },
    check: (claim, bodyHash) => {
      const thread = leastBusy(threads)
      // Threads that died are not replaced: checking here is slower, never wrong.
      return thread === undefined ? checkSignature(claim, bodyHash) : thread.check(claim, bodyHash)
    },
    close: async () => {
      const all = [...threads]
      threads.clear()
      await Promise.all(all.map((thread) => thread.close()))
    },
  }
}

function leastBusy(threads: ReadonlySet<CheckThread>): CheckThread | undefined {
  let best: CheckThread | undefined
  for (const thread of threads) if (best === undefined || thread.load < best.load) best = thread
  return best
}

/** A thread keeps nothing but the jobs it has; left alone, its heap grows by what it throws away. */
const HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }

class CheckThread {
  readonly #worker: Worker
  /** Sent or to be sent, in the order of their answers. */
  readonly #waiting: Waiting[] = []
  #unsent: CheckJob[] = []
  onEnd = () => {}
  /** Resolves when the thread takes jobs, or has ended without. */
  readonly settled: Promise<void>

  constructor(log: Log, onAnswers: (count: number) => void) {
    const settled = createDeferred<void>()
    this.settled = settled.promise
    this.#worker = startWorkerThread(new URL('./signature-worker', import.meta.url), HEAP)
      .on('message', (message: CheckAnswers | typeof READY) => {
        if (message === 'ready') return settled.resolve()
        onAnswers(message.length)
        this.#answer(message)
      })
      .on('error', (error) =>
        log.error({ event: 'signature-thread-failed', err: error }, 'a signature thread failed'),
      )
      .on('exit', () => {
        this.onEnd()
        for (const { claim, bodyHash, resolve } of this.#waiting.splice(0))
          resolve(checkSignature(claim, bodyHash))
        settled.resolve()
      })
  }

  get load(): number {
    return this.#waiting.length
  }

  /** Jobs of one turn of the loop travel in one message. */
  check(claim: Claim, bodyHash: string): Promise<Refusal | undefined> {
    if (this.#unsent.length === 0) setImmediate(() => this.#send())
    this.#unsent.push({ claim, bodyHash })
    return new Promise((resolve) => this.#waiting.push({ claim, bodyHash, resolve }))
  }

  close(): Promise<unknown> {
    return this.#worker.terminate()
  }

  #send(): void {
    this.#worker.postMessage(this.#unsent)
    this.#unsent = []
  }

  #answer(answers: CheckAnswers): void {
    const asked = this.#waiting.splice(0, answers.length)
    asked.forEach(({ resolve }, index) => {
      resolve(answers[index] === true ? undefined : refuse('SIGNATURE_MISMATCH'))
    })
  }
}
