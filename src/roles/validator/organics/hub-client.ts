import { Agent, request } from 'undici'
import { signRequest } from '../../../epistula/index.js'
import { type Clock, withDeadline } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'
import { boundJson } from './json-bounds.js'

/** Ample for a hundred requests of users with all their chunks. */
const BOUNDS = { bytes: 64 << 20, values: 2_000_000, depth: 64, members: [16, 1000] }

export interface HubClient {
  /**
   * Posts a signed JSON body; bytes are sent as they are.
   *
   * @returns status and text; rejects when the hub is unreachable or exceeds the deadline or the bounds.
   */
  post(
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }>
  close(): Promise<void>
}

/** For the whole exchange. */
const TIMEOUT_MS = 60_000

/** Speaks the hub's protocol (4.4.1 targon/jugo.py): Epistula without a receiver, JSON body, no redirects. */
export function connectHub(url: string, signer: Signer, clock: Clock): HubClient {
  const dispatcher = new Agent({ connect: { timeout: 10_000 }, pipelining: 0 })
  const base = url.replace(/\/+$/, '')
  return {
    post: (path, body, signal) =>
      withDeadline(clock, `the hub’s answer to ${path}`, TIMEOUT_MS, signal, async (inner) => {
        const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
        const headers = {
          ...signRequest({ signer, body: bytes, nowMs: clock.now() }),
          'content-type': 'application/json',
          'accept-encoding': 'identity',
        }
        const answer = await request(`${base}${path}`, {
          method: 'POST',
          headers,
          body: bytes,
          dispatcher,
          signal: inner,
        })
        return { status: answer.statusCode, text: await readBounded(answer.body) }
      }),
    close: () => dispatcher.destroy(),
  }
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  const check = boundJson(BOUNDS)
  for await (const chunk of body) {
    check(chunk)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
