import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly response: ServerResponse
  /** Resolves when the response was sent or its connection closed. */
  readonly closed: Promise<void>
}

export type Answer = (request: ReceivedRequest) => void | Promise<void>

export interface FakeVllm {
  readonly url: string
  readonly port: number
  readonly received: ReceivedRequest[]
  models: string[]
  /** Body of GET /metrics; undefined: 404. */
  metrics: string | undefined
  /** Who owns the models, as GET /v1/models says. */
  owner: { readonly owned_by?: string }
  /** Answers to GET /health so far. */
  healthAsked: number
  /** Lists of models sent so far. */
  modelsAsked: number
  /** The miner's own chat probe is answered with this message, or this text; undefined: 404. */
  probedChat: object | string | undefined
  chatsProbed: number
  /** Holds back answers to GET requests while it is set. */
  gate: Promise<void> | undefined
  /** Body of GET /version; undefined: 404. */
  version: object | undefined
  /** Status of GET /health and GET /v1/models. */
  healthStatus: number
  modelsStatus: number
  /** Status of the response to the miner's probe for token ids. */
  engineStatus: number
  answer: Answer
  /** Whether token ids are sent always, on request (`return_tokens_as_token_ids`), or the field is rejected with 400. */
  tokenIds: 'always' | 'on-request' | 'refused'
  /** Resolves when the n-th request (from 1) has arrived. */
  arrived(count: number): Promise<ReceivedRequest>
  close(): Promise<void>
}

export function sse(...values: unknown[]): string {
  return values
    .map((value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`)
    .join('')
}

export const streamTwo: Answer = ({ response }) => {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.write(sse({ choices: [{ delta: { content: 'a' } }] }))
  response.end(sse({ choices: [{ delta: { content: 'b' } }] }, '[DONE]'))
}

/** A model server on port 0 whose responses the test writes, byte by byte if necessary. */
export async function startFakeVllm(
  options: { models?: string[]; answer?: Answer; port?: number } = {},
): Promise<FakeVllm> {
  const waiting: { count: number; resolve: (request: ReceivedRequest) => void }[] = []
  const server = createServer(async (request, response) => {
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(value))
    }
    if (request.method === 'GET') await fake.gate
    if (request.url === '/version') return json(fake.version === undefined ? 404 : 200, fake.version ?? {})
    if (request.url === '/health') {
      fake.healthAsked++
      return void response.writeHead(fake.healthStatus).end()
    }
    if (request.url === '/metrics') {
      return void response.writeHead(fake.metrics === undefined ? 404 : 200).end(fake.metrics ?? '')
    }
    if (request.url === '/v1/models') {
      fake.modelsAsked++
      return json(fake.modelsStatus, {
        object: 'list',
        data: fake.models.map((id) => ({ id, object: 'model', ...fake.owner })),
      })
    }
    let body = ''
    for await (const chunk of request) body += chunk
    // The miner’s probes are not recorded as requests.
    if (body.includes('"prompt":"Hello","max_tokens":1,')) {
      if (fake.engineStatus !== 200) return json(fake.engineStatus, { object: 'error' })
      const isRequested = body.includes('"return_tokens_as_token_ids":true')
      if (isRequested && fake.tokenIds === 'refused') return json(400, { object: 'error' })
      const hasIds = fake.tokenIds === 'always' || (isRequested && fake.tokenIds === 'on-request')
      return json(200, { choices: [{ text: ' a', logprobs: { tokens: [hasIds ? 'token_id:7' : ' a'] } }] })
    }
    if (body.includes('"content":"Hello"}],"max_tokens":16,')) {
      fake.chatsProbed++
      const { probedChat } = fake
      if (typeof probedChat === 'string') return void response.writeHead(200).end(probedChat)
      return json(probedChat === undefined ? 404 : 200, { choices: [{ message: probedChat }] })
    }
    const closed = new Promise<void>((resolve) => response.on('close', () => resolve()))
    const received = { path: request.url ?? '', headers: request.headers, body, response, closed }
    fake.received.push(received)
    for (const waiter of waiting) if (waiter.count === fake.received.length) waiter.resolve(received)
    await fake.answer(received)
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fake: FakeVllm = {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    received: [],
    models: options.models ?? ['org/model'],
    metrics: undefined,
    tokenIds: 'always',
    owner: { owned_by: 'vllm' },
    healthAsked: 0,
    modelsAsked: 0,
    probedChat: undefined,
    chatsProbed: 0,
    gate: undefined,
    version: undefined,
    healthStatus: 200,
    modelsStatus: 200,
    engineStatus: 200,
    answer: options.answer ?? streamTwo,
    arrived: (count) => {
      const already = fake.received[count - 1]
      if (already) return Promise.resolve(already)
      return new Promise((resolve) => waiting.push({ count, resolve }))
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}
