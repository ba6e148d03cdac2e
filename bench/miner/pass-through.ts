import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

/** A bare Node proxy: http server and undici dispatch, nothing else. Argument: origin of the upstream. */
const pool = new Pool(process.argv[2] ?? '', { connections: null, pipelining: 1 })
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.concat(parts),
      },
      {
        onRequestStart: (controller) => {
          response.on('drain', () => controller.resume())
          response.on('close', () => {
            if (!response.writableFinished) controller.abort(new Error('client disconnected'))
          })
        },
        onResponseStart: (_, status, headers) => {
          response.writeHead(status, { 'content-type': String(headers['content-type']) })
        },
        onResponseData: (controller, chunk) => {
          if (!response.write(chunk)) controller.pause()
        },
        onResponseEnd: () => {
          response.end()
        },
        onResponseError: () => {
          response.destroy()
        },
      },
    )
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
