import { parentPort } from 'node:worker_threads'
import { systemClock } from '../kernel/index.js'
import { sendPrepared } from './ask-miner.js'
import type { FromThread, ToThread } from './ask-thread.js'
import { createMinerAgent } from './miner-agent.js'
import { watchStalls } from './stall-watch.js'

/** Progress is reported this often at most: it matters only for answers that stream for a minute and longer. */
const PROGRESS_MS = 1000

const dispatcher = createMinerAgent()
const stalls = watchStalls(systemClock, new AbortController().signal)
const running = new Map<number, AbortController>()
const post = (message: FromThread) => parentPort?.postMessage(message)

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'abort') running.get(message.id)?.abort()
  else void ask(message)
})

async function ask({ id, prepared, options }: Extract<ToThread, { kind: 'ask' }>): Promise<void> {
  const stopping = new AbortController()
  running.set(id, stopping)
  let reportedMs = 0
  const answer = await sendPrepared(prepared, {
    ...options,
    ...{ clock: systemClock, dispatcher, stalls, signal: stopping.signal },
    onProgress: (progress) => {
      if (progress.streamedMs - reportedMs < PROGRESS_MS) return
      reportedMs = progress.streamedMs
      post({ kind: 'progress', id, progress })
    },
  })
  running.delete(id)
  post({ kind: 'answer', id, answer })
}

post({ kind: 'ready' })
