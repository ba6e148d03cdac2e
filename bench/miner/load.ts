import { connect, type Socket } from 'node:net'
import { signRequest } from '../../src/epistula/index.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'

/** A load on one port. It uses raw sockets, so that it costs little itself. */
export interface LoadOrder {
  readonly port: number
  readonly model: 'burst' | 'tick' | 'slow'
  readonly connections: number
  readonly requests: number
}

export interface LoadResult {
  readonly seconds: number
  readonly firstByteMs: number[]
  readonly chunks: number
  readonly errors: number
}

const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(40)
const validator = await hotkeyOf(2)
const miner = await hotkeyOf(1)

/** Every request is signed, whether or not its target checks that, so that all receive the same bytes. */
function prepare({ model }: LoadOrder): Buffer {
  const body = Buffer.from(
    JSON.stringify({
      model,
      stream: true,
      logprobs: true,
      max_tokens: 64,
      messages: [{ role: 'user', content: filler }],
    }),
  )
  const signed = signRequest({
    signer: validator,
    signedFor: miner.address,
    body,
    nowMs: Date.now() + 2000,
    model,
  })
  const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${lines.join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

const TERMINATOR = Buffer.from('0\r\n\r\n')
const DONE = Buffer.from('[DONE]')

function run(order: LoadOrder): Promise<LoadResult> {
  const requests = Array.from({ length: order.requests }, () => prepare(order))
  const firstByteMs: number[] = []
  let chunks = 0
  let errors = 0
  let next = 0
  let open = order.connections
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const finish = (socket: Socket) => {
      socket.destroy()
      open--
      if (open === 0)
        resolve({ seconds: (performance.now() - startedAt) / 1000, firstByteMs, chunks, errors })
    }
    const client = () => {
      const socket = connect(order.port, '127.0.0.1')
      socket.setNoDelay(true)
      let sentAt = 0
      let isFirst = true
      let isWhole = false
      const send = () => {
        const request = requests[next++]
        if (request === undefined) return finish(socket)
        isFirst = true
        isWhole = false
        sentAt = performance.now()
        socket.write(request)
      }
      socket.on('connect', send)
      socket.on('data', (data) => {
        if (isFirst && data.includes('data: ')) {
          isFirst = false
          firstByteMs.push(performance.now() - sentAt)
        }
        if (data.includes(DONE)) isWhole = true
        if (!data.subarray(-5).equals(TERMINATOR)) return
        if (isWhole) chunks += 64
        else errors++
        send()
      })
      socket.on('error', () => {
        errors++
        finish(socket)
      })
      socket.on('end', () => {
        if (!socket.destroyed) {
          errors++
          finish(socket)
        }
      })
    }
    for (let index = 0; index < order.connections; index++) client()
  })
}

process.on('message', (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result))
})
process.send?.({ ready: true })
