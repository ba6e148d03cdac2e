import type { Worker } from 'node:worker_threads'
import { type Claim, checkSignature, type Refusal, refuse } from '../../../epistula/index.js'
import { createDeferred, type Log, startWorkerThread } from '../../../kernel/index.js'
import type { CheckAnswers, CheckJob, READY } from './signature-worker.js'

/** Checks signatures on the calling thread, or on worker threads so that streams do not wait. */
export interface SignatureCheck {
  /** @returns undefined when the signature is good. */
  check(claim: Claim, bodyHash: string): Refusal | undefined | Promise<Refusal | undefined>
  /** Checks done by worker threads so far. */
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
 * A check takes about 0.25 ms; on a worker thread it does not delay the streams of other callers. Resolves when the threads
 * are ready, so that the first callers do not wait for them to start.
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
    thread.onExit = () => {
      if (threads.delete(thread))
        log.warn({ event: 'signature-thread-ended', left: threads.size }, 'a signature thread exited')
    }
    await thread.started
  }
  await Promise.all(Array.from({ length: count }, start))
  return {
    get checkedOnThreads() {
      return checkedOnThreads
    },
    check: (claim, bodyHash) => {
      const thread = leastBusy(threads)
      // Threads that died are not replaced: checking here is slower but correct.
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

/** A thread keeps nothing but its current jobs; without limits its heap would fill with garbage. */
const HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }

class CheckThread {
  readonly #worker: Worker
  /** Jobs without an answer, in the order in which the answers arrive. */
  readonly #waiting: Waiting[] = []
  #unsent: CheckJob[] = []
  onExit = () => {}
  /** Resolves when the thread is ready for jobs, or has exited before it was. */
  readonly started: Promise<void>

  constructor(log: Log, onAnswers: (count: number) => void) {
    const started = createDeferred<void>()
    this.started = started.promise
    this.#worker = startWorkerThread(new URL('./signature-worker', import.meta.url), HEAP)
      .on('message', (message: CheckAnswers | typeof READY) => {
        if (message === 'ready') return started.resolve()
        onAnswers(message.length)
        this.#answer(message)
      })
      .on('error', (error) =>
        log.error({ event: 'signature-thread-failed', err: error }, 'a signature thread failed'),
      )
      .on('exit', () => {
        this.onExit()
        for (const { claim, bodyHash, resolve } of this.#waiting.splice(0))
          resolve(checkSignature(claim, bodyHash))
        started.resolve()
      })
  }

  get load(): number {
    return this.#waiting.length
  }

  /** Jobs of one turn of the event loop are sent in one message. */
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
    const answered = this.#waiting.splice(0, answers.length)
    answered.forEach(({ resolve }, index) => {
      resolve(answers[index] === true ? undefined : refuse('SIGNATURE_MISMATCH'))
    })
  }
}
