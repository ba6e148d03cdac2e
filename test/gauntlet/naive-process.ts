import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifyRequest } from '../../src/epistula/index.js'
import { initSr25519 } from '../../src/kernel/sr25519.js'
import { hotkeyOf } from '../support/hotkeys.js'

/** A naive miner as the control: attacks that do not hurt it prove nothing about ours. Argument: settings as JSON. */
await initSr25519()
const { 'model-endpoint': [upstream = ''] = [] } = JSON.parse(process.argv[2] ?? '{}') as {
  'model-endpoint'?: string[]
}
const self = (await hotkeyOf(1)).address
const server = createServer({ headersTimeout: 0, requestTimeout: 0 }, async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  const claim = verifyRequest({
    headers: request.headersDistinct,
    body,
    nowMs: Date.now(),
    signedFor: self,
    windowMs: 1e12,
  })
  if (!claim.ok) {
    // like 4.4.1, which answers 500 to an unexpected timestamp
    response
      .writeHead(claim.code === 'INVALID_TIMESTAMP' ? 500 : claim.status)
      .end(JSON.stringify({ detail: claim.detail }))
    return
  }
  const onward = httpRequest(`${upstream}/chat/completions`, { method: 'POST' }, (answer) => {
    response.writeHead(answer.statusCode ?? 502)
    answer.on('data', (chunk) => response.write(chunk))
    answer.on('end', () => response.end())
  })
  onward.on('error', () => response.destroy())
  onward.end(body)
})
process.on('uncaughtException', (error) =>
  process.send?.({ kind: 'crash', event: 'uncaughtException', text: String(error) }),
)
process.on('SIGTERM', () => process.exit(0))
server.listen(0, '127.0.0.1', () =>
  process.send?.({ kind: 'ready', port: (server.address() as AddressInfo).port }),
)
