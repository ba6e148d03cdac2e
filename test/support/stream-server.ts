import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly distinct: IncomingMessage['headersDistinct']
  readonly body: Buffer
}

export interface StreamServer {
  readonly url: string
  readonly received: ReceivedRequest[]
  /** Number of open connections. */
  readonly open: number
  close(): Promise<void>
}

export type Answering = (response: ServerResponse, request: ReceivedRequest) => void

/** A real HTTP server on a free loopback port that calls `answer` once the whole request has arrived. */
export async function startStreamServer(answer: Answering): Promise<StreamServer> {
  const received: ReceivedRequest[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const full: ReceivedRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        distinct: request.headersDistinct,
        body: Buffer.concat(parts),
      }
      received.push(full)
      answer(response, full)
    })
    request.on('error', () => {})
    response.on('error', () => {})
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get open() {
      return sockets.size
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Sends the head of an event stream as vLLM does. */
export function startEvents(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  return response
}

export function event(chunk: unknown): string {
  return `data: ${JSON.stringify(chunk)}\n\n`
}

export const DONE = 'data: [DONE]\n\n'

/** Chat chunk with one token, as vLLM sends it with token ids. */
export function chatChunk(text: string, id: number, logprob = -0.5, finish: string | null = null): unknown {
  const logprobs = { content: [{ token: `token_id:${id}`, logprob, bytes: null, top_logprobs: [] }] }
  return {
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'org/m',
    choices: [{ index: 0, delta: { content: text }, logprobs, finish_reason: finish }],
  }
}

/** Completion chunk with one token. */
export function completionChunk(
  text: string,
  id: number,
  logprob = -0.5,
  finish: string | null = null,
): unknown {
  const logprobs = {
    text_offset: [0],
    token_logprobs: [logprob],
    tokens: [`token_id:${id}`],
    top_logprobs: [{}],
  }
  return {
    id: 'x',
    object: 'text_completion',
    created: 1,
    model: 'org/m',
    choices: [{ index: 0, text, logprobs, finish_reason: finish }],
  }
}
