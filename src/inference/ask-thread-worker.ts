import { parentPort } from 'node:worker_threads'
import { systemClock } from '../kernel/index.js'
import { sendPrepared } from './ask-miner.js'
import type { FromThread, ToThread } from './ask-thread.js'
import { createMinerAgent } from './miner-agent.js'
import { watchStalls } from './stall-watch.js'

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
  const startMs = systemClock.monotonic()
  const full = { ...options, clock: systemClock, dispatcher, signal: stopping.signal }
  const answer = await sendPrepared(prepared, full)
  running.delete(id)
  post({ kind: 'answer', id, answer: { ...answer, stallMs: stalls.stallSince(startMs) } })
}

post({ kind: 'ready' })
