import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { epistulaFetch } from '../../src/epistula/index.js'
import { guardFetch } from '../../src/inference/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import {
  type Answering,
  chatChunk,
  DONE,
  event,
  type StreamServer,
  startEvents,
  startStreamServer,
} from '../support/stream-server.js'

let server: StreamServer
afterEach(() => server.close())

/** The text an OpenAI client reads through epistulaFetch and guardFetch. */
async function query(answering: Answering): Promise<string> {
  server = await startStreamServer(answering)
  const signer = await hotkeyOf(1)
  const client = new OpenAI({
    apiKey: 'sn4',
    baseURL: `${server.url}/v1`,
    maxRetries: 0,
    fetch: epistulaFetch({ signer, signedFor: signer.address, fetch: guardFetch() }),
  })
  const stream = await client.chat.completions.create({ model: 'm', messages: [], stream: true })
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  return text
}

function flood(response: Parameters<Answering>[0], piece: string): void {
  if (!response.headersSent) startEvents(response)
  const more = () => {
    while (!response.destroyed && response.write(piece));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

describe('guardFetch', () => {
  test('passes an honest stream unchanged', async () => {
    const chunks = Array.from({ length: 300 }, (_, n) => event(chatChunk(`${n} `, n))).join('')
    const text = await query((response) => startEvents(response).end(chunks + DONE))
    expect(text).toBe(Array.from({ length: 300 }, (_, n) => `${n} `).join(''))
  })

  test('ends the stream and the connection at an endless line', async () => {
    await expect(query((response) => flood(response, 'a'.repeat(10_000)))).rejects.toThrow(
      /line of more than 65536/,
    )
    await expect.poll(() => server.open).toBe(0)
  })

  test('detects an endless line after valid ones', async () => {
    const honest = event(chatChunk('a', 1)).repeat(5)
    const asked = query((response) => {
      startEvents(response).write(`${honest}data: `)
      setImmediate(() => flood(response, 'a'.repeat(10_000)))
    })
    await expect(asked).rejects.toThrow(/line of more than 65536/)
  })

  test('ends an endless stream of short lines at 4 MiB', async () => {
    await expect(query((response) => flood(response, event(chatChunk('a', 1)).repeat(20)))).rejects.toThrow(
      /more than 4194304 bytes/,
    )
  })

  test('rejects an encoded response without reading it', async () => {
    const asked = query((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      response.end(Buffer.alloc(100))
    })
    await expect(asked).rejects.toThrow()
  })

  test('does not follow a redirect', async () => {
    await expect(query((response) => response.writeHead(307, { location: '/other' }).end())).rejects.toThrow()
    expect(server.received).toHaveLength(1)
  })
})
