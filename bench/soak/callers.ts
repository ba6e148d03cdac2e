import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { signRequest } from '../../src/epistula/index.js'
import type { Signer } from '../../src/wallet/index.js'

export const MINER_SEED = 1
/** Several validators call, so that none is limited by its share of the miner. */
export const CALLER_SEEDS = [2, 3, 4] as const

/** What can be wrong with a request, or with the answer of the model server. One of a hundred requests has each. */
export const FAULTS = [
  'bad signature',
  'replay',
  'stale timestamp',
  'oversize body',
  'nested body',
  'unknown path',
  'caller leaves mid-stream',
  'half-sent head',
  'slow sender',
  'upstream 500',
  'upstream 429',
  'upstream reset',
  'upstream garbage',
] as const
export type Fault = (typeof FAULTS)[number]

/** One signed request as it is sent. */
export interface Signed {
  readonly head: string
  readonly body: Buffer
}

export interface Signing {
  readonly signer: Signer
  readonly miner: Signer
  readonly nowMs: number
}

const PATH = '/v1/chat/completions'
/** What a connection that gets no answer is given before it counts as unanswered. */
const ANSWER_MS = 20_000
const GAP_MS = 20
const OVERSIZE_BYTES = 5 << 20
const PIECES = 5

/** @param user names the fault of the model server, if any */
export function chatBody(user = ''): string {
  return JSON.stringify({
    ...{ model: 'steady', stream: true, max_tokens: 8, user },
    messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  })
}

export function signed(
  { signer, miner, nowMs }: Signing,
  text: string,
  { path = PATH, keep = false, change = (headers: Record<string, string>) => headers } = {},
): Signed {
  const body = Buffer.from(text)
  const headers = change(signRequest({ signer, signedFor: miner.address, body, nowMs, model: 'steady' }))
  const lines = Object.entries({
    ...headers,
    host: 'soak',
    connection: keep ? 'keep-alive' : 'close',
    'content-type': 'application/json',
    'content-length': String(body.length),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return { head: `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, body }
}

interface Conduct {
  /** Sent one after the other, this far apart. */
  readonly pieces: readonly (string | Buffer)[]
  /** When the caller leaves without waiting for the end of the answer. */
  readonly leaves?: 'at once' | 'at the first bytes'
}

/** @returns the status of the answer; `left` or `unanswered` when the caller saw none */
async function converse(port: number, { pieces, leaves }: Conduct): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  socket.setTimeout(ANSWER_MS, () => socket.destroy())
  const status = readStatus(socket, leaves === 'at the first bytes')
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await sleep(GAP_MS)
    if (!socket.destroyed) socket.write(piece)
  }
  if (leaves === 'at once') {
    await sleep(GAP_MS)
    socket.destroy()
    return 'left'
  }
  return await status
}

function readStatus(socket: Socket, leavesAtFirst: boolean): Promise<string> {
  return new Promise((resolve) => {
    let start = ''
    socket.on('data', (data) => {
      if (start.length < 12) start += data.toString('latin1', 0, 12)
      if (leavesAtFirst) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(/^HTTP\/1\.1 (\d{3})/.exec(start)?.[1] ?? 'unanswered'))
  })
}

/** Sends one request with this fault. @returns how it was answered */
export async function sendFault(port: number, fault: Fault, signing: Signing): Promise<string> {
  const send = ({ head, body }: Signed, leaves?: Conduct['leaves']) =>
    converse(port, { pieces: [head, body].slice(0), ...(leaves ? { leaves } : {}) })
  switch (fault) {
    case 'bad signature':
      return send(signed(signing, chatBody(), { change: spoil }))
    case 'replay': {
      const request = signed(signing, chatBody())
      await send(request)
      return send(request)
    }
    case 'stale timestamp':
      return send(signed({ ...signing, nowMs: signing.nowMs - 60_000 }, chatBody()))
    case 'oversize body': {
      const { head, body } = signed(signing, chatBody())
      const large = head.replace(/content-length: \d+/, `content-length: ${OVERSIZE_BYTES}`)
      return send({ head: large, body })
    }
    case 'nested body':
      return send(signed(signing, `{"model":"steady","messages":${'['.repeat(20_000)}${']'.repeat(20_000)}}`))
    case 'unknown path':
      return send(signed(signing, chatBody(), { path: '/v1/nothing' }))
    case 'caller leaves mid-stream':
      return send(signed(signing, chatBody('slow')), 'at the first bytes')
    case 'half-sent head': {
      const { head } = signed(signing, chatBody())
      return converse(port, { pieces: [head.slice(0, head.length >> 1)], leaves: 'at once' })
    }
    case 'slow sender': {
      const { head, body } = signed(signing, chatBody())
      const size = Math.ceil(body.length / PIECES)
      const pieces = Array.from({ length: PIECES }, (_, index) =>
        body.subarray(index * size, (index + 1) * size),
      )
      return converse(port, { pieces: [head, ...pieces] })
    }
    default:
      return send(signed(signing, chatBody(fault.replace('upstream ', ''))))
  }
}

function spoil(headers: Record<string, string>): Record<string, string> {
  const name = 'Epistula-Request-Signature'
  const signature = headers[name] ?? ''
  return { ...headers, [name]: `${signature.slice(0, -4)}${signature.endsWith('0000') ? '1111' : '0000'}` }
}
