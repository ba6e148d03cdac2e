import { mkdtemp, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createModelList } from '../../src/models/index.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'
import { scaled } from './scale.js'
import { startTally } from './tally.js'

/** F25: whatever the models endpoint does, the last good list is kept and nothing hangs. */

const LIMIT_MS = 15_000
const FAULTS: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  'never responds': () => {},
  'stops after the headers': (response) => response.writeHead(200).flushHeaders(),
  'drips endlessly': (response) => {
    const timer = setInterval(() => response.write(' '), 100)
    response.on('close', () => clearInterval(timer))
  },
  'returns 500': (response) => response.writeHead(500).end('["org/evil"]'),
  'returns 404': (response) => response.writeHead(404).end('["org/evil"]'),
  'sends an HTML page': (response) => response.end('<html><body>maintenance</body></html>'),
  'sends an empty list': (response) => response.end('[]'),
  'sends another shape': (response) => response.end('{"models":{"org/evil":true}}'),
  'sends invalid names': (response) => response.end('["../../etc/passwd","a b","\\u001b[31m",7]'),
  redirects: (response) => response.writeHead(307, { location: '/elsewhere' }).end(),
  'sends megabytes': (response) => response.end(`["org/evil",${'"x",'.repeat(300_000)}"y"]`),
  'resets the connection': (response) => {
    response.writeHead(200, { 'content-length': '5000' }).write('["org/evil",')
    setImmediate(() => response.socket?.resetAndDestroy())
  },
  'sends a compression bomb': (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(32 << 20, 0x20))),
}

let folder: string
const servers: StreamServer[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-endpoint-'))
})
afterAll(async () => {
  for (const server of servers) await server.close()
  await rm(folder, { recursive: true, force: true })
})

async function endpoint(first: (response: ServerResponse) => unknown) {
  let answer = first
  const server = await startStreamServer((response) => void answer(response))
  servers.push(server)
  const become = (next: typeof first) => {
    answer = next
  }
  return { url: server.url, become }
}

describe.concurrent('the models endpoint', () => {
  test.for(Object.keys(FAULTS))(
    '%s: the last good list is kept, and the next good one replaces it',
    { timeout: 600_000 },
    async (fault, { task }) => {
      const tally = startTally(task, { fault: 'F25', kind: `models endpoint ${fault}`, full: 20 })
      const { url, become } = await endpoint((response) => response.end('["org/a"]'))
      const stateDir = await mkdtemp(join(folder, 'state-'))
      const list = createModelList({
        ...{ mode: 'endpoint', endpoint: url, file: 'none', stateDir },
        log: pino({ enabled: false }),
      })
      const { signal } = new AbortController()
      await list.refresh(signal)
      for (let run = 0; run < scaled(20); run++) {
        become(FAULTS[fault] ?? (() => {}))
        const startedAt = performance.now()
        await list.refresh(signal)
        expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS)
        expect(list.current()).toEqual(['org/a'])
        tally.count++
      }
      become((response) => response.end('["org/b"]'))
      await list.refresh(signal)
      expect(list.current()).toEqual(['org/b'])
    },
  )

  test('control: a plain request to an endpoint that never responds is still waiting after our timeout', async () => {
    const { url } = await endpoint(() => {})
    const stop = new AbortController()
    const asked = fetch(url, { signal: stop.signal }).then(
      () => 'ended',
      () => 'aborted',
    )
    const late = new Promise((resolve) => setTimeout(() => resolve('waiting'), 6000))
    expect(await Promise.race([asked, late])).toBe('waiting')
    stop.abort()
  })
})
