import { createServer, type Server, type ServerResponse } from 'node:http'

const CHUNKS = 8
const GAP_MS = 20
const chunk = `data: ${JSON.stringify({ id: 'chatcmpl-0', object: 'chat.completion.chunk', created: 0, model: 'steady', choices: [{ index: 0, delta: { content: ' word' }, finish_reason: null }] })}\n\n`
const DONE = 'data: [DONE]\n\n'
const STREAM = { 'content-type': 'text/event-stream; charset=utf-8' }

function stream(response: ServerResponse): void {
  response.writeHead(200, STREAM)
  for (let index = 0; index < CHUNKS; index++) response.write(chunk)
  response.end(DONE)
}

function slowly(response: ServerResponse): void {
  response.writeHead(200, STREAM)
  let left = CHUNKS
  const timer = setInterval(() => {
    if (left-- > 0) response.write(chunk)
    else response.end(DONE)
  }, GAP_MS)
  response.on('close', () => clearInterval(timer))
}

const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
  slow: slowly,
  500: (response) => response.writeHead(500).end('{"error":{"message":"out of memory"}}'),
  429: (response) => response.writeHead(429).end('{"error":{"message":"queue is full"}}'),
  reset: (response) => {
    response.writeHead(200, STREAM).write(chunk)
    setTimeout(() => response.socket?.resetAndDestroy(), GAP_MS)
  },
  garbage: (response) => response.socket?.end('\0\0HTTP/9 none\r\nnot: a head\r\n\r\n'),
}

/** The model server: eight chunks at once, or the fault that the request names as its `user`. */
export function createUpstream(): Server {
  const server = createServer((request, response) => {
    response.on('error', () => {})
    request.on('error', () => {})
    if (request.url === '/v1/models')
      return void response.end(JSON.stringify({ object: 'list', data: [{ id: 'steady', object: 'model' }] }))
    if (request.method !== 'POST') return void response.writeHead(request.url === '/health' ? 200 : 404).end()
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { user = '' } = JSON.parse(Buffer.concat(parts).toString()) as { user?: string }
      const answer = answers[user] ?? stream
      answer(response)
    })
  })
  server.keepAliveTimeout = 60_000
  return server
}
