import { Agent, request } from 'undici'
import type { Clock } from '../../clock.js'
import { withDeadline } from '../../clock.js'
import { signRequest } from '../../epistula/index.js'
import type { Signer } from '../../wallet/index.js'
import { originOf } from './address-guard.js'
import type { Serving } from './candidates.js'

/** All miners together, POST and GET (4.4.1 asked one after the other, 3 s a read). */
const TOTAL_MS = 3000
/** A miner that sits on the announcement is asked for its list all the same. */
const ANNOUNCE_MS = 1000
const MAX_BYTES = 256 << 10
const MAX_MODELS = 512
/** Miners signed for between two turns of the event loop: answers that stream meanwhile must not wait. */
const SIGNED_PER_TURN = 8

const MODEL_NAME = /^[\w.\-/:]{1,200}$/

export interface BroadcastOptions {
  readonly clock: Clock
  readonly signer: Signer
  readonly wanted: readonly string[]
  /** Also tell the miners what is wanted (POST /models), not only ask what they serve. */
  readonly announce: boolean
}

/**
 * Tells every miner which models are wanted and asks which ones it serves, all at once and within 3 s.
 *
 * @returns the wanted models each miner serves, by hotkey. A miner that did not answer, or not sensibly, is absent: its
 * last list stays valid. Never rejects but for `signal`.
 */
export async function broadcastModels(
  miners: readonly Serving[],
  options: BroadcastOptions,
  signal: AbortSignal,
): Promise<Map<string, readonly string[]>> {
  const served = new Map<string, readonly string[]>()
  const agent = new Agent({ connect: { timeout: TOTAL_MS }, pipelining: 0, maxResponseSize: MAX_BYTES })
  const over = new AbortController()
  const stop = AbortSignal.any([signal, over.signal])
  const calls: Promise<void>[] = []
  try {
    for (const [index, miner] of miners.entries()) {
      if (index % SIGNED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
      calls.push(
        askMiner(miner, options, agent, stop).then(
          (models) => models && void served.set(miner.hotkey, models),
        ),
      )
    }
    await withDeadline(options.clock, 'asking the miners for their models', TOTAL_MS, signal, () =>
      Promise.allSettled(calls),
    ).catch((error: unknown) => {
      if (signal.aborted) throw error
    })
  } finally {
    over.abort()
    await agent.destroy()
  }
  return served
}

async function askMiner(
  miner: Serving,
  { clock, signer, wanted, announce }: BroadcastOptions,
  agent: Agent,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const url = `${originOf(miner.axon)}/models`
  const sign = (body: Buffer) => ({
    ...signRequest({ signer, signedFor: miner.hotkey, body, nowMs: clock.now() }),
    'accept-encoding': 'identity',
  })
  try {
    if (announce) {
      const body = Buffer.from(JSON.stringify(wanted))
      const headers = { ...sign(body), 'content-type': 'application/json' }
      await withDeadline(clock, 'announcing models', ANNOUNCE_MS, signal, async (inner) => {
        const answer = await request(url, { method: 'POST', dispatcher: agent, body, headers, signal: inner })
        await answer.body.dump({ limit: MAX_BYTES })
      }).catch(() => {})
    }
    const headers = sign(Buffer.alloc(0))
    const answer = await request(url, { dispatcher: agent, headers, signal })
    if (answer.statusCode !== 200 || !isPlain(answer.headers['content-encoding'])) {
      answer.body.destroy()
      return undefined
    }
    return readModels(await readBounded(answer.body), wanted)
  } catch {
    // Any failure here means the same: this miner's last list stays.
    return undefined
  }
}

function isPlain(encoding: string | string[] | undefined): boolean {
  return encoding === undefined || encoding === 'identity'
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Wanted models in a miner's reply, each once, in the wanted order; undefined when the reply is not a list of names. */
export function readModels(text: string, wanted: readonly string[]): readonly string[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value.length > MAX_MODELS) return undefined
  const names = new Set(value.filter((name) => typeof name === 'string' && MODEL_NAME.test(name)))
  return wanted.filter((model) => names.has(model))
}
