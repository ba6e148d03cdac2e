import { parentPort } from 'node:worker_threads'
import { systemClock } from '../kernel/index.js'
import { type PreparedRequest, sendPrepared } from './ask-miner.js'
import type { ThreadOptions } from './ask-thread.js'
import { createMinerAgent } from './miner-agent.js'
import { watchStalls } from './stall-watch.js'
import type { Answer } from './types.js'

/** What the main thread asks of this one. */
export type ToThread =
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly prepared: PreparedRequest
      readonly options: Omit<ThreadOptions, 'signal'>
    }
  | { readonly kind: 'abort'; readonly id: number }

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }

const dispatcher = createMinerAgent()
const stalls = watchStalls(systemClock, new AbortController().signal)
const running = new Map<number, AbortController>()

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'abort') running.get(message.id)?.abort()
  else void ask(message)
})

async function ask({ id, prepared, options }: Extract<ToThread, { kind: 'ask' }>): Promise<void> {
  const stopping = new AbortController()
  running.set(id, stopping)
  const startMs = systemClock.monotonic()
  const all = { ...options, clock: systemClock, dispatcher, signal: stopping.signal }
  const answer = await sendPrepared(prepared, all)
  running.delete(id)
  const reply: FromThread = { kind: 'answer', id, answer: { ...answer, stallMs: stalls.stallSince(startMs) } }
  parentPort?.postMessage(reply)
}

const ready: FromThread = { kind: 'ready' }
parentPort?.postMessage(ready)
