import type { ServerResponse } from 'node:http'
import { startStreamServer } from '../support/stream-server.js'

/**
 * Miners with hostile responses to GET and POST /models, in a separate process so that their memory does not count as the
 * validator's. Sends its URL, then receives the behaviour of each uid (null: honest) before each broadcast.
 */
const PIECE = Buffer.alloc(65_536, 0x61)

const HOSTILE: readonly ((response: ServerResponse) => unknown)[] = [
  () => {},
  (response) => drip(response),
  (response) => flood(response.writeHead(200)),
  (response) => flood(response.writeHead(500)),
  (response) => response.end(JSON.stringify(new Array(100_000).fill('org/a'))),
  (response) => response.end(JSON.stringify(Array.from({ length: 513 }, (_, index) => `org/${index}`))),
  (response) => response.end(`["${'x'.repeat(100_000)}"]`),
  (response) => response.end('{"__proto__":["org/a"],"length":2,"0":"org/a"}'),
  (response) => response.end('[["org/a"],{"id":"org/a"},null,1e999,true]'),
  (response) => response.end('org/a'),
  (response) => response.end('["org/a"'),
  (response) => response.end('['.repeat(100_000)),
  (response) => response.end(''),
  (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('["org/a"]'),
  (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
  (response) => response.writeHead(200, { 'content-length': '1000' }).write('["org/a"]'),
  (response) => response.socket?.resetAndDestroy(),
  (response) =>
    response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 10\r\n\r\n["org/a"]'),
]

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 50)
  response.on('close', () => clearInterval(timer))
}

function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(PIECE));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

let kinds: readonly (number | null)[] = []
const server = await startStreamServer((response, { method, headers }) => {
  const uid = Number(/\d+$/.exec(String(headers['epistula-signed-for']))?.[0])
  const kind = kinds[uid]
  if (typeof kind !== 'number') return response.end(method === 'GET' ? '["org/b","org/a","org/c"]' : '""')
  return HOSTILE[kind % HOSTILE.length]?.(response)
})
process.on('message', (message: readonly (number | null)[]) => {
  kinds = message
  process.send?.('acknowledged')
})
process.on('disconnect', () => process.exit())
process.send?.(server.url)
