import type { Worker } from 'node:worker_threads'
import {
  allowManyListeners,
  createDeferred,
  type Deferred,
  type Log,
  startWorkerThread,
} from '../kernel/index.js'
import type { AskOptions, PreparedRequest } from './ask-miner.js'
import type { Answer } from './types.js'
import type { StreamProgress } from './watched-reader.js'

export type ThreadOptions = Pick<AskOptions, 'limits' | 'rules' | 'burst' | 'signal' | 'onProgress'>

/** Messages from the main thread to the worker … */
export type ToThread =
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly prepared: PreparedRequest
      readonly options: Omit<ThreadOptions, 'signal' | 'onProgress'>
    }
  | { readonly kind: 'abort'; readonly id: number }

/** … and back. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: StreamProgress }

/** A query whose answer the thread reads. */
interface Waiting {
  readonly answer: Deferred<Answer>
  readonly onProgress: ThreadOptions['onProgress']
}

/** Sends prepared requests and reads their answers on a separate thread. */
export interface AskThread {
  /**
   * Resolves when the thread runs, so that requests are sent without delay: signatures expire while it starts. Rejects when
   * it cannot start.
   */
  ready(): Promise<void>
  /**
   * Like `sendPrepared`; the answer also has the `stallMs` of the reading thread, and progress is reported about once a
   * second. When the thread dies, its answers are `aborted` (our fault) and a new thread starts.
   */
  send(prepared: PreparedRequest, options?: ThreadOptions): Promise<Answer>
  close(): Promise<void>
}

/**
 * Arrival times are only as accurate as the event loop that takes them. On the main thread, chain decoding, SQL and
 * verdicts would delay them; on this thread nothing else runs.
 */
export function createAskThread(log: Pick<Log, 'error'>): AskThread {
  const waiting = new Map<number, Waiting>()
  let nextId = 0
  let isClosed = false
  let cannotStart = false
  let thread = start()

  function start(): { readonly worker: Worker; readonly ready: Deferred<void> } {
    const ready = createDeferred<void>()
    const worker = startWorkerThread(new URL('./ask-thread-worker', import.meta.url))
    let wasReady = false
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'answer') return settle(message.id, message.answer)
      if (message.kind === 'progress') return waiting.get(message.id)?.onProgress?.(message.progress)
      wasReady = true
      ready.resolve()
    })
    worker.on('error', (error) =>
      log.error({ event: 'ask-thread-failed', err: error }, 'the thread that reads answers failed'),
    )
    worker.on('exit', () => {
      for (const id of [...waiting.keys()]) settle(id, LOST_ANSWER)
      // A thread that never became ready would not the next time either.
      if (wasReady && !isClosed) thread = start()
      else cannotStart = true
      ready.reject(new Error('the thread that reads answers did not start'))
    })
    // Callers of ready() get the rejection; without callers it must not be an unhandled one.
    ready.promise.catch(() => {})
    return { worker, ready }
  }

  function settle(id: number, answer: Answer): void {
    waiting.get(id)?.answer.resolve(answer)
    waiting.delete(id)
    if (waiting.size === 0) thread.worker.unref()
  }

  return {
    ready: () => thread.ready.promise,
    async send(prepared, { signal, limits, rules, burst, onProgress } = {}) {
      if (cannotStart) return LOST_ANSWER
      const id = nextId++
      const deferred = createDeferred<Answer>()
      waiting.set(id, { answer: deferred, onProgress })
      const { worker } = thread
      worker.ref()
      const post = (message: ToThread) => worker.postMessage(message)
      const onAbort = () => post({ kind: 'abort', id })
      // Copied, because a pooled buffer would be sent with all its neighbours.
      const copy = { ...prepared, body: Uint8Array.from(prepared.body) }
      post({ kind: 'ask', id, prepared: copy, options: { limits, rules, burst } })
      if (signal?.aborted) onAbort()
      if (signal) allowManyListeners(signal)
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        return await deferred.promise
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
    },
    async close() {
      isClosed = true
      await thread.worker.terminate()
    },
  }
}

const LOST_ANSWER: Answer = {
  tokens: [],
  text: '',
  finishReason: undefined,
  timing: { timeToFirstTokenMs: 0, timeForAllTokensMs: 0, totalMs: 0 },
  tokensPerSecond: 0,
  status: 0,
  fault: { cause: 'aborted', detail: 'the thread that read the answer exited' },
  chunks: 0,
  lostTokens: false,
  burstShare: 0,
}
