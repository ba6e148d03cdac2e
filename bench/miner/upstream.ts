import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The model server behind every subject: sends 64 prepared chunks, at the speed the requested model stands for. */
const CHUNKS = 64
const chunk = Buffer.from(
  `data: ${JSON.stringify({ id: 'chatcmpl-0', object: 'chat.completion.chunk', created: 0, model: 'burst', choices: [{ index: 0, delta: { content: ' word' }, logprobs: { content: [{ token: 'token_id:1234', logprob: -0.123456, bytes: [32, 119], top_logprobs: [{ token: 'token_id:1234', logprob: -0.123456, bytes: [32, 119] }] }] }, finish_reason: null }] })}\n\n`,
)
const last = Buffer.from('data: [DONE]\n\n')

function burst(response: ServerResponse): void {
  for (let index = 0; index < CHUNKS; index++) response.write(chunk)
  response.end(last)
}

function perTick(response: ServerResponse, left = CHUNKS): void {
  if (response.destroyed) return
  if (left === 0) return void response.end(last)
  response.write(chunk)
  setImmediate(() => perTick(response, left - 1))
}

function slowly(response: ServerResponse): void {
  let left = CHUNKS
  const timer = setInterval(() => {
    if (response.destroyed || left === 0) {
      clearInterval(timer)
      if (!response.destroyed) response.end(last)
      return
    }
    left--
    response.write(chunk)
  }, 10)
}

/** The first chunk at once, then one every 40 ms: 50 requests per second are 126 streams at a time. */
function steadily(response: ServerResponse): void {
  let left = CHUNKS - 1
  response.write(chunk)
  const timer = setInterval(() => {
    if (response.destroyed || left === 0) {
      clearInterval(timer)
      if (!response.destroyed) response.end(last)
      return
    }
    left--
    response.write(chunk)
  }, 40)
}

const MODELS = ['burst', 'tick', 'slow', 'steady']

let streaming = 0
const server = createServer((request, response) => {
  if (request.url === '/v1/models') {
    const data = MODELS.map((id) => ({ id, object: 'model' }))
    return void response.end(JSON.stringify({ object: 'list', data }))
  }
  // what a miner answers a hub
  if (request.url === '/models') return void response.end(JSON.stringify(MODELS))
  if (request.url === '/streaming') return void response.end(String(streaming))
  if (request.method !== 'POST') return void response.writeHead(request.url === '/health' ? 200 : 404).end()
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const { model } = JSON.parse(Buffer.concat(parts).toString()) as { model: string }
    streaming++
    response.on('close', () => {
      streaming--
    })
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    if (model === 'burst') burst(response)
    else if (model === 'tick') perTick(response)
    else if (model === 'steady') steadily(response)
    else slowly(response)
  })
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
