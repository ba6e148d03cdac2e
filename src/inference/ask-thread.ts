import type { Worker } from 'node:worker_threads'
import { createDeferred, type Deferred, type Log, startWorkerThread } from '../kernel/index.js'
import type { AskOptions, PreparedRequest } from './ask-miner.js'
import type { FromThread, ToThread } from './ask-thread-worker.js'
import type { Answer } from './types.js'

export type ThreadOptions = Pick<AskOptions, 'limits' | 'rules' | 'burst' | 'signal'>

/** Sends prepared requests and reads their answers on a thread of its own. */
export interface AskThread {
  /** Resolves when a request sent now is sent at once: signatures age while the thread starts. Rejects when it cannot start. */
  ready(): Promise<void>
  /**
   * As `sendPrepared`, with `stallMs` of the reading thread in the answer. When the thread dies its answers are `aborted`
   * (our fault) and another one starts.
   */
  send(prepared: PreparedRequest, options?: ThreadOptions): Promise<Answer>
  close(): Promise<void>
}

/**
 * Arrival times are only as good as the loop that takes them. Chain decoding, SQL and verdicts on the main thread delay a
 * stamp by as long as they take; on this thread nothing else runs.
 */
export function createAskThread(log: Pick<Log, 'error'>): AskThread {
  const waiting = new Map<number, Deferred<Answer>>()
  let nextId = 0
  let closed = false
  let isGone = false
  let thread = start()

  function start(): { readonly worker: Worker; readonly ready: Deferred<void> } {
    const ready = createDeferred<void>()
    const started = startWorkerThread(new URL('./ask-thread-worker', import.meta.url))
    started.on('message', (message: FromThread) => {
      if (message.kind === 'ready') ready.resolve()
      else settle(message.id, message.answer)
    })
    started.on('error', (error) =>
      log.error({ event: 'ask-thread-failed', err: error }, 'the thread that reads answers failed'),
    )
    let wasReady = false
    ready.promise.then(() => {
      wasReady = true
    }, ignore)
    started.on('exit', () => {
      for (const id of [...waiting.keys()]) settle(id, lostAnswer)
      // One that never came up would not the next time either.
      if (wasReady && !closed) thread = start()
      else isGone = true
      ready.reject(new Error('the reading thread did not start'))
    })
    return { worker: started, ready }
  }

  function settle(id: number, answer: Answer): void {
    waiting.get(id)?.resolve(answer)
    waiting.delete(id)
    if (waiting.size === 0) thread.worker.unref()
  }

  return {
    ready: () => thread.ready.promise,
    async send(prepared, { signal, limits, rules, burst } = {}) {
      if (isGone) return lostAnswer
      const id = nextId++
      const deferred = createDeferred<Answer>()
      waiting.set(id, deferred)
      const { worker } = thread
      worker.ref()
      const post = (message: ToThread) => worker.postMessage(message)
      const onAbort = () => post({ kind: 'abort', id })
      // A copy of its own: a pooled buffer would be sent with all its neighbours.
      const own = { ...prepared, body: Uint8Array.from(prepared.body) }
      post({ kind: 'ask', id, prepared: own, options: { limits, rules, burst } })
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        return await deferred.promise
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
    },
    async close() {
      closed = true
      await thread.worker.terminate()
    },
  }
}

/** Whoever waits for the thread hears of it; nobody has to wait. */
const ignore = () => {}

const lostAnswer: Answer = {
  tokens: [],
  text: '',
  finishReason: undefined,
  timing: { timeToFirstTokenMs: 0, timeForAllTokensMs: 0, totalMs: 0 },
  tokensPerSecond: 0,
  status: 0,
  fault: { cause: 'aborted', detail: 'the thread that read the answer ended' },
  chunks: 0,
  lostTokens: false,
  burstShare: 0,
}
