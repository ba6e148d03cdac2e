import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogFields } from '../../../src/kernel/log.js'
import {
  createDataset,
  createRandom,
  type DatasetOptions,
  makePrompt,
  type QuestionSource,
  readInBackground,
} from '../../../src/prompts/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { type StreamServer, startStreamServer } from '../../support/stream-server.js'
import { temporaryFolder } from '../../support/temporary-folder.js'

/** 60 rows in 3 row groups, Snappy, nested like Infinity-Instruct; every tenth row starts with another speaker. */
const fixture = fileURLToPath(new URL('../../fixtures/prompts/questions.parquet', import.meta.url))
const signal = new AbortController().signal

let hub: StreamServer
let cacheDir: string
let clock: ManualClock
let down = false

beforeEach(async () => {
  const bytes = await readFile(fixture)
  cacheDir = temporaryFolder('dataset')
  clock = new ManualClock()
  down = false
  hub = await startStreamServer((response, { method, path, headers }) => {
    if (down) return response.writeHead(503).end()
    if (path === '/list') return response.end(JSON.stringify([`${hub.url}/0.parquet`]))
    const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers.range))
    if (method === 'HEAD') return response.writeHead(200, { 'content-length': bytes.length }).end()
    if (!range) return response.writeHead(200).end(bytes)
    response.writeHead(206).end(bytes.subarray(Number(range[1]), Number(range[2]) + 1))
  })
})
afterEach(() => hub.close())

function dataset(change: Partial<DatasetOptions> = {}) {
  return createDataset({ source: `${hub.url}/list`, cacheDir, random: createRandom('d'), clock, ...change })
}

async function draw(source: ReturnType<typeof dataset>, count: number): Promise<string[]> {
  const questions: string[] = []
  for (let index = 0; index < count; index++) questions.push(await source.nextQuestion(signal))
  return questions
}

describe('createDataset', () => {
  it('reads the first human turns by range requests, never the whole file', async () => {
    const questions = await draw(dataset(), 18)
    expect(new Set(questions).size).toBe(18)
    for (const question of questions)
      expect(question).toMatch(/^Question number \d+: why is \d+ (odd|even)\?/)
    const ranges = hub.received.filter(({ path, method }) => path === '/0.parquet' && method === 'GET')
    expect(ranges.every(({ headers }) => headers.range !== undefined)).toBe(true)
  })

  it('uses the cached pages after a restart while the hub is unreachable', async () => {
    const first = await draw(dataset(), 1)
    down = true
    expect(await draw(dataset(), 1)).toEqual([expect.stringMatching(/^Question number/)])
    expect(first).toHaveLength(1)
  })

  it('pauses requests to an unreachable hub, and bundled questions are used meanwhile', async () => {
    down = true
    const source = dataset()
    await expect(source.nextQuestion(signal)).rejects.toMatchObject({ code: 'DATASET', fault: 'upstream' })
    const calls = hub.received.length
    await expect(source.nextQuestion(signal)).rejects.toMatchObject({ code: 'DATASET' })
    expect(hub.received.length).toBe(calls)
    const reasons: string[] = []
    const prompt = await makePrompt(
      {
        model: 'org/m',
        endpoints: ['chat'],
        maxTokens: { min: 8, max: 8 },
        random: createRandom('x'),
        clock,
        questions: source,
        onFallback: (reason) => reasons.push(reason),
      },
      signal,
    )
    expect(prompt.question).not.toBe('')
    expect(reasons).toEqual([expect.stringContaining('using a bundled question')])
    down = false
    await clock.advance(300_000)
    expect(await source.nextQuestion(signal)).toMatch(/^Question number/)
  })

  it('reports progress up to the size of the page', async () => {
    for (const source of [`${hub.url}/list`, fixture]) {
      const calls: [number, number | undefined][] = []
      await draw(dataset({ source, onProgress: (bytes, ofBytes) => calls.push([bytes, ofBytes]) }), 1)
      const [bytes, ofBytes] = calls.at(-1) ?? []
      expect(ofBytes).toBeGreaterThan(0)
      expect(bytes).toBeGreaterThanOrEqual(ofBytes ?? Number.POSITIVE_INFINITY)
    }
  })

  it('reads a local file', async () => {
    expect(await draw(dataset({ source: fixture }), 40)).toHaveLength(40)
  })

  it('rejects a server that ignores range requests', async () => {
    const server = await startStreamServer((response, { method }) =>
      method === 'HEAD'
        ? response.writeHead(200, { 'content-length': 1000 }).end()
        : response.end('x'.repeat(1000)),
    )
    await expect(dataset({ source: `${server.url}/a.parquet` }).nextQuestion(signal)).rejects.toMatchObject({
      code: 'DATASET',
    })
    await server.close()
  })
})

describe('readInBackground', () => {
  const events: string[] = []
  const log = {
    info: ({ event }: LogFields) => void events.push(event),
    warn: ({ event }: LogFields) => void events.push(event),
  }
  beforeEach(() => {
    events.length = 0
  })

  it('never waits for a hub that hangs, and returns its questions once it responds', async () => {
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const inner = dataset()
    const slow: QuestionSource = {
      nextQuestion: async (given) => {
        await gate
        return await inner.nextQuestion(given)
      },
    }
    const source = readInBackground(slow, log, signal)
    expect(await source.nextQuestion(signal)).toBe('')
    expect(events).toEqual([])
    open()
    await expect.poll(() => events).toEqual(['dataset-ready'])
    const questions = await draw(source, 16)
    for (const question of questions) expect(question).toMatch(/^Question number/)
    expect(new Set(questions).size).toBe(16)
  })

  it('logs once that the hub is unreachable and once that it has recovered', async () => {
    down = true
    const source = readInBackground(dataset(), log, signal)
    await expect.poll(() => events).toEqual(['dataset-unavailable'])
    for (let call = 0; call < 3; call++) expect(await source.nextQuestion(signal)).toBe('')
    down = false
    await clock.advance(300_000)
    await expect.poll(() => source.nextQuestion(signal)).toMatch(/^Question number/)
    expect(events).toEqual(['dataset-unavailable', 'dataset-ready'])
  })

  it('ends with its signal without logging', async () => {
    const closing = new AbortController()
    const ended = new Promise<void>((resolve) => {
      const source: QuestionSource = {
        nextQuestion: (given) =>
          new Promise((_, reject) => {
            given.addEventListener('abort', () => {
              reject(given.reason)
              resolve()
            })
          }),
      }
      readInBackground(source, log, closing.signal)
    })
    closing.abort()
    await ended
    expect(events).toEqual([])
  })
})
