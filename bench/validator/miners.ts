import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { systemClock } from '../../src/kernel/clock.js'
import { startDevelopmentEngine } from '../../src/localnet/engine/index.js'

/**
 * All miners at one address, and the reference engine: a development engine that answers as fast as the machine allows.
 * Miners check no signatures. Argument: the model.
 */
const [model = ''] = process.argv.slice(2)
const engine = await startDevelopmentEngine(
  { port: 0, models: [model], returnTokensAsTokenIds: true },
  { clock: systemClock },
)
const pool = new Pool(engine.url, { connections: null, pipelining: 1 })
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('error', () => {})
  response.on('error', () => {})
  request.on('end', () => {
    if (request.url === '/models') return void response.end(request.method === 'GET' ? `["${model}"]` : '""')
    const headers = { 'content-type': 'application/json' }
    const body = Buffer.concat(parts)
    pool.stream(
      { path: request.url ?? '/', method: 'POST', headers, body, opaque: response },
      ({ statusCode, headers: { 'content-type': type } }) =>
        response.writeHead(statusCode, { 'content-type': String(type) }),
      (error) => {
        if (error) response.destroy()
      },
    )
  })
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port, enginePort: engine.port }),
)
