import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import { chatChunk, DONE, event, startEvents } from './stream-server.js'

/**
 * A miner in a separate process, so that its work does not disturb the times the reader takes. The requested model selects
 * its behaviour: `even` is honest, the others are hostile streams.
 */
export const HOSTILE_STREAMS = [
  'endless-line',
  'endless-event',
  'many-events',
  'many-comments',
  'fat-events',
  'nested-events',
  'gzip-bomb',
  'redirect',
  'slow-bytes',
  'silent',
  'broken-json',
  'reset',
  'endless-refusal',
] as const

export type UpstreamMode = 'even' | (typeof HOSTILE_STREAMS)[number]

export interface StreamUpstream {
  readonly url: string
  close(): Promise<void>
}

/** Number of chunks of an honest stream. */
export const EVEN_CHUNKS = 64
const EVEN_GAP_MS = 10

export async function startStreamUpstream(): Promise<StreamUpstream> {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const port = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`the upstream exited with ${code}`)))
  })
  return { url: `http://127.0.0.1:${String(port)}`, close: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

/** Duration of an honest stream in milliseconds, measured by the sender and written into its text. */
export function readTruth(text: string): number {
  const stamps = text
    .trim()
    .split(' ')
    .map((pair) => pair.split(':').map(Number))
  return ((stamps.at(-1)?.[1] ?? Number.NaN) - (stamps[0]?.[0] ?? Number.NaN)) / 1000
}

/** Microseconds on a clock shared by both processes. */
const stampUs = () => Number(process.hrtime.bigint() / 1000n)

function answerEven(response: ServerResponse): void {
  const receivedUs = stampUs()
  startEvents(response).flushHeaders()
  let sent = 0
  const timer = setInterval(() => {
    sent++
    const chunk = event(chatChunk(`${receivedUs}:${stampUs()} `, sent))
    if (sent < EVEN_CHUNKS) response.write(chunk)
    else {
      clearInterval(timer)
      response.end(chunk + DONE)
    }
  }, EVEN_GAP_MS)
  response.on('close', () => clearInterval(timer))
}

function flood(response: ServerResponse, piece: string | Buffer): void {
  const more = () => {
    while (!response.destroyed && response.write(piece));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

/** A valid chunk with a member of lists in lists: parsing it costs a hundred times as much as its bytes suggest. */
const NESTED_EVENT = event(chatChunk('a', 1)).replace(
  '"id":',
  `"x":${'['.repeat(29_000)}${']'.repeat(29_000)},"id":`,
)

/** Three such events at a time: together they stop an unguarded reader for longer than a result may be falsified by. */
function bomb(response: ServerResponse): void {
  startEvents(response)
  const timer = setInterval(() => response.write(NESTED_EVENT.repeat(3)), 60)
  response.on('close', () => clearInterval(timer))
}

const hostile: Record<(typeof HOSTILE_STREAMS)[number], (response: ServerResponse) => void> = {
  'endless-line': (response) => flood(startEvents(response), Buffer.alloc(1 << 16, 'data: a')),
  'endless-event': (response) => flood(startEvents(response), `data: ${'a'.repeat(1000)}\n`.repeat(50)),
  'many-events': (response) => flood(startEvents(response), event(chatChunk('a', 1)).repeat(50)),
  'many-comments': (response) => flood(startEvents(response), ':\n'.repeat(20_000)),
  'fat-events': (response) =>
    flood(startEvents(response), event({ ...(chatChunk('a', 1) as object), padding: 'x'.repeat(60_000) })),
  'nested-events': bomb,
  'gzip-bomb': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
    const gzip = createGzip({ level: 9 })
    gzip.pipe(response)
    gzip.end(Buffer.alloc(32 << 20, 0x20))
  },
  redirect: (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
  'slow-bytes': (response) => {
    startEvents(response)
    const timer = setInterval(() => response.write('d'), 2)
    response.on('close', () => clearInterval(timer))
  },
  silent: (response) => startEvents(response).flushHeaders(),
  'broken-json': (response) => startEvents(response).end('data: {"choices": [\n\n'),
  reset: (response) => response.socket?.resetAndDestroy(),
  'endless-refusal': (response) => {
    response.writeHead(500)
    flood(response, 'x'.repeat(1 << 16))
  },
}

function serve(): void {
  const server = createServer((request, response) => {
    response.on('error', () => {})
    const mode = String(request.headers['x-targon-model'])
    request.resume()
    if (mode === 'even') answerEven(response)
    else hostile[mode as (typeof HOSTILE_STREAMS)[number]](response)
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () =>
    process.send?.((server.address() as AddressInfo).port),
  )
  process.on('disconnect', () => process.exit())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve()
