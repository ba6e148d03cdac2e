import type { Worker } from 'node:worker_threads'
import { type Log, startWorkerThread } from '../../../kernel/index.js'
import type { RequestPolicy } from '../../../routing/index.js'
import type { BodyJob } from './body-worker.js'
import { type RequestReading, readLargeRequestBody, readRequestBody } from './read-request.js'

/** Read in about a millisecond at most, which no stream notices; a larger one goes to the thread. */
const SMALL_BYTES = 64 << 10

/** Bodies the thread may have waiting, or one if bodies may be larger: more are refused, so that memory stays bounded. */
const MAX_WAITING_BYTES = 32 << 20

/** A parsed body takes up to twenty times its text, and the bounds of `readRequestBody` keep that below this. */
const HEAP_MB = 128

/** `busy`: too many large bodies are waiting. */
export type RequestRead = RequestReading | { readonly kind: 'busy' }

export interface RequestReader {
  /** Large bodies are read on a thread of their own. */
  read(body: Buffer): RequestRead | Promise<RequestRead>
  /** Applies to the bodies that follow. */
  setPolicy(policy: RequestPolicy | undefined): void
  close(): Promise<void>
}

/** Reads what requests ask for. The thread for large bodies starts with the first one. */
export function createRequestReader(
  log: Log,
  initialPolicy: RequestPolicy | undefined,
  maxBodyBytes: number,
): RequestReader {
  let policy = initialPolicy
  let thread: BodyThread | undefined
  const start = () => {
    const started = new BodyThread(maxBodyBytes, (error) => {
      if (thread === started) thread = undefined
      if (error)
        log.error({ event: 'body-thread-failed', err: error }, 'the thread for large requests failed')
    })
    return started
  }
  return {
    read: (body) => {
      if (body.length <= SMALL_BYTES) return readRequestBody(body, policy)
      thread ??= start()
      const isFull = thread.waitingBytes > 0 && thread.waitingBytes + body.length > MAX_WAITING_BYTES
      return isFull ? { kind: 'busy' } : thread.read({ body, policy })
    },
    setPolicy: (next) => {
      policy = next
    },
    close: async () => {
      await thread?.close()
    },
  }
}

interface Waiting {
  readonly job: BodyJob
  readonly resolve: (reading: RequestRead) => void
}

class BodyThread {
  readonly #worker: Worker
  /** In the order in which the answers arrive. */
  readonly #waiting: Waiting[] = []
  #isClosing = false
  waitingBytes = 0

  constructor(maxBodyBytes: number, onEnd: (error?: Error) => void) {
    const heap = { maxOldGenerationSizeMb: HEAP_MB + Math.ceil(maxBodyBytes / (1 << 20)) * 4 }
    this.#worker = startWorkerThread(new URL('./body-worker', import.meta.url), heap)
      .on('message', (reading: RequestReading) => this.#answer(() => reading))
      .on('error', (error) => onEnd(error instanceof Error ? error : new Error(String(error))))
      .on('exit', () => {
        onEnd()
        while (this.#waiting.length > 0) this.#answer((job) => this.#readHere(job))
      })
  }

  read(job: BodyJob): Promise<RequestRead> {
    this.waitingBytes += job.body.length
    this.#worker.postMessage(job)
    return new Promise((resolve) => this.#waiting.push({ job, resolve }))
  }

  close(): Promise<unknown> {
    this.#isClosing = true
    return this.#worker.terminate()
  }

  #answer(read: (job: BodyJob) => RequestRead): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.waitingBytes -= next.job.body.length
    next.resolve(read(next.job))
  }

  /** The thread has ended: this one is slower for everyone else's streams, but keeps the same bounds. */
  #readHere({ body, policy }: BodyJob): RequestRead {
    return this.#isClosing
      ? { kind: 'busy' }
      : readLargeRequestBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength), policy)
  }
}
