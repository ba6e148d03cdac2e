import { signRequest } from '../../src/epistula/index.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'
import { Caller, type CallResult } from './caller.js'

/** A load on one port. */
export interface LoadOrder {
  readonly port: number
  readonly model: 'burst' | 'tick' | 'slow' | 'steady'
  /** Callers that send one request after the other; with `perSecond`, the connections that are opened before. */
  readonly connections: number
  readonly requests: number
  /** Requests start at this pace, whether or not the ones before have ended. */
  readonly perSecond?: number
  /** Sent as a bearer token. */
  readonly key?: string
  /** Default true. */
  readonly isSigned?: boolean
}

export interface LoadResult {
  readonly seconds: number
  readonly firstByteMs: number[]
  readonly chunks: number
  readonly errors: number
}

/** What is unanswered then counts as an error. */
const LOAD_MS = 240_000
const CHUNKS = 64

const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(40)
const validator = await hotkeyOf(2)
const miner = await hotkeyOf(1)

/** Every request has the signature and the key, whether or not its target checks them, so that all receive the same bytes. */
function prepare({ model, key, isSigned = true }: LoadOrder, aheadMs: number): Buffer {
  const body = Buffer.from(
    JSON.stringify({
      model,
      stream: true,
      logprobs: true,
      max_tokens: CHUNKS,
      messages: [{ role: 'user', content: filler }],
    }),
  )
  const signature = isSigned
    ? signRequest({ signer: validator, signedFor: miner.address, body, nowMs: Date.now() + aheadMs, model })
    : {}
  const proof = { ...signature, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
  const lines = Object.entries(proof).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${lines.join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** Signed before the clock starts, for a moment in the middle of the load. */
const AHEAD_MS = 2000

async function inTurns(order: LoadOrder, callers: readonly Caller[]): Promise<CallResult[]> {
  const requests = Array.from({ length: order.requests }, () => prepare(order, AHEAD_MS))
  const results: CallResult[] = []
  startedAt = performance.now()
  const work = async (caller: Caller) => {
    for (let request = requests.pop(); request !== undefined && !isLate; request = requests.pop())
      results.push(await caller.send(request))
  }
  await Promise.all(callers.map(work))
  return results
}

async function atPace(order: LoadOrder, perSecond: number, callers: Caller[]): Promise<CallResult[]> {
  const idle = [...callers]
  startedAt = performance.now()
  const send = async (index: number): Promise<CallResult> => {
    const dueMs = startedAt + (index / perSecond) * 1000 - performance.now()
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs)))
    const caller = idle.pop() ?? new Caller(order.port)
    if (!callers.includes(caller)) callers.push(caller)
    const result = await caller.send(prepare(order, 0))
    idle.push(caller)
    return result
  }
  return await Promise.all(Array.from({ length: order.requests }, (_, index) => send(index)))
}

let startedAt = 0
let isLate = false

async function run(order: LoadOrder): Promise<LoadResult> {
  const callers = Array.from({ length: order.connections }, () => new Caller(order.port))
  isLate = false
  const late = setTimeout(() => {
    isLate = true
    for (const caller of callers) caller.close()
  }, LOAD_MS)
  const { perSecond } = order
  const results = await (perSecond === undefined
    ? inTurns(order, callers)
    : atPace(order, perSecond, callers))
  const seconds = (performance.now() - startedAt) / 1000
  clearTimeout(late)
  for (const caller of callers) caller.close()
  const whole = results.filter(({ isWhole }) => isWhole).length
  return {
    seconds,
    firstByteMs: results.flatMap(({ firstByteMs }) => firstByteMs ?? []),
    chunks: whole * CHUNKS,
    errors: order.requests - whole,
  }
}

process.on('message', (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result))
})
process.send?.({ ready: true })
