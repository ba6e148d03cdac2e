import { connect, type Socket } from 'node:net'
import { parseJson } from '../../src/kernel/json.js'
import { readTruth } from '../../test/support/stream-upstream.js'

/** Reads streams with bare sockets and parses them afterwards, so that only the machine can delay their timing. */
export interface BareReaders {
  /** Sends one request per connection, all at once. @returns the milliseconds by which each total exceeds the sender's timestamps */
  send(body: Uint8Array): Promise<number[]>
  close(): void
}

const END = Buffer.from('[DONE]\n\n\r\n0\r\n\r\n')

export async function openBareReaders(url: string, count: number): Promise<BareReaders> {
  const { hostname, port } = new URL(url)
  const sockets = await Promise.all(Array.from({ length: count }, () => open(hostname, Number(port))))
  return {
    send: (body) => {
      const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\nx-targon-model: even\r\ncontent-length: ${body.length}\r\n\r\n`
      const request = Buffer.concat([Buffer.from(head), body])
      return Promise.all(sockets.map((socket) => read(socket, request)))
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket)).once('error', reject)
  })
}

function read(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    const onData = (piece: Buffer) => {
      const atMs = performance.now()
      pieces.push(piece)
      if (!piece.includes(END)) return
      socket.off('data', onData).off('close', onClose)
      resolve(atMs - startedMs - readTruth(contentOf(Buffer.concat(pieces).toString())))
    }
    const onClose = () => reject(new Error('the upstream closed the connection'))
    socket.on('data', onData).once('close', onClose)
    const startedMs = performance.now()
    socket.write(request)
  })
}

function contentOf(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => {
      const event = parseJson(line.slice(6)) as { choices: { delta: { content?: string } }[] }
      return event.choices[0]?.delta.content ?? ''
    })
    .join('')
}
