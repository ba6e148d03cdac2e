import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

const KIBIBYTE = 1024

/** A line that never ends. */
export function* endlessLine(): Iterable<string> {
  yield 'data: {"choices":[{"index":0,"text":"'
  const part = 'x'.repeat(16 * KIBIBYTE)
  while (true) yield part
}

/** One event of eight megabytes. */
export function* hugeEvent(): Iterable<string> {
  const content = 'x'.repeat(8 * KIBIBYTE * KIBIBYTE)
  yield `data: ${JSON.stringify({ choices: [{ index: 0, text: content, delta: { content } }] })}\n\n`
}

/** A million empty events. */
export function* eventFlood(): Iterable<string> {
  const thousand = 'data: {"choices":[{"index":0,"text":"","delta":{}}]}\n\n'.repeat(1000)
  for (let index = 0; index < 1000; index++) yield thousand
}

/** Events that claim fifteen thousand tokens each, at two bytes a token. */
export function* tokenFlood(): Iterable<string> {
  const zeros = (count: number) => `[${'0,'.repeat(count - 1)}0]`
  const logprobs = `{"content":${zeros(15_000)},"tokens":${zeros(15_000)},"token_logprobs":[]}`
  const one = `data: {"choices":[{"index":0,"text":"","delta":{},"logprobs":${logprobs}}]}\n\n`
  for (let index = 0; index < 64; index++) yield one
}

/** Sixty events of fifteen thousand lists in each other. */
export function* nestedEvents(): Iterable<string> {
  const nested = `${'['.repeat(15_000)}${']'.repeat(15_000)}`
  for (let index = 0; index < 60; index++) yield `data: {"choices":[],"usage":{"x":${nested}}}\n\n`
}

/** Two hundred events of objects whose fields all have names of their own: of all flat JSON the slowest to parse. */
export function* wideEvents(): Iterable<string> {
  let name = 0
  const field = () => `"${(name++).toString(36)}":0`
  const object = () => `{${Array.from({ length: 20 }, field).join(',')}}`
  for (let index = 0; index < 200; index++) {
    const objects = Array.from({ length: 140 }, object).join(',')
    yield `data: {"choices":[],"usage":{"x":[${objects}]}}\n\n`
  }
}

/** What replaces every fifth event, in turn. */
const MALFORMED: readonly (string | Uint8Array)[] = [
  'data: {"choices":[{"index":0,"delta":\n\n',
  'data: {"choices":[]}\n\n',
  'data: {"choices":[{"index":0,"delta":null,"text":null}]}\n\n',
  'data: "a string"\n\n',
  Uint8Array.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0x20, 0x22, 0xc3, 0x28, 0xff, 0x22, 0x0a, 0x0a]),
]

export function malformEvent(event: string, index: number): string | Uint8Array {
  return index % 5 === 4 ? (MALFORMED[Math.floor(index / 5) % MALFORMED.length] ?? event) : event
}

export function respondWith(status: number): (response: ServerResponse) => void {
  return (response) => {
    const headers = { 'content-type': 'application/json', ...(status === 429 ? { 'retry-after': '1' } : {}) }
    response.writeHead(status, headers).end(JSON.stringify({ error: { message: 'refused', code: status } }))
  }
}

/** Redirects the caller, along with the body it signed, to an address on its own machine. */
export function redirectToInternal(response: ServerResponse): void {
  response.writeHead(307, { location: 'http://127.0.0.1:9/latest/meta-data/' }).end()
}

let bombMember: Buffer | undefined

/** 16 gzip members, a quarter of a megabyte in all, that decompress to 256 megabytes. */
export function sendGzipBomb(response: ServerResponse): void {
  bombMember ??= gzipSync(Buffer.alloc(16 * KIBIBYTE * KIBIBYTE), { level: 9 })
  const member = bombMember
  response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
  response.end(Buffer.concat(Array.from({ length: 16 }, () => member)))
}

export function resetConnection(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

/** Leaves the request open until the caller disconnects. */
export function neverAnswer(): void {}
