import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  createMinerAgent,
  prepareRequest,
  type StreamLimits,
  sendPrepared,
} from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import {
  EVEN_CHUNKS,
  HOSTILE_STREAMS,
  readTruth,
  type StreamUpstream,
  startStreamUpstream,
  type UpstreamMode,
} from '../support/stream-upstream.js'
import { startTally } from './tally.js'

/** Many concurrent streams, some hostile: memory is bounded (F9) and honest speeds do not change (F11). */

const scale = Number(process.env.GAUNTLET_SCALE ?? '0.02')
const limits = { firstTokenMs: 3000, gapMs: 3000, totalMs: 9000 }
let signer: Signer
let honest: StreamUpstream
let hostile: StreamUpstream
const dispatcher = createMinerAgent()

beforeAll(async () => {
  signer = await hotkeyOf(1)
  honest = await startStreamUpstream()
  hostile = await startStreamUpstream()
})
afterAll(async () => {
  await dispatcher.destroy()
  await Promise.all([honest?.close(), hostile?.close()])
})

/** One round: all requests are signed before the first is sent. */
function askAll(
  modes: readonly UpstreamMode[],
  streamLimits: Partial<StreamLimits> = limits,
  agent: Agent = dispatcher,
): Promise<Answer[]> {
  const prepared = modes.map((model) =>
    prepareRequest(
      { endpoint: 'chat', model, temperature: 0, maxTokens: 500, messages: [] },
      { url: model === 'even' ? honest.url : hostile.url, hotkey: signer.address },
      { signer, clock: systemClock },
    ),
  )
  return Promise.all(
    prepared.map((request) =>
      sendPrepared(request, { clock: systemClock, dispatcher: agent, limits: streamLimits }),
    ),
  )
}

async function measurePeak<T>(work: () => Promise<T>): Promise<{ result: T; grownBytes: number }> {
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }, 10)
  try {
    return { result: await work(), grownBytes: peak - before }
  } finally {
    clearInterval(timer)
  }
}

describe('hostile streams next to honest ones', () => {
  test('all 13 kinds at once are cut off with a cause, in bounded memory', async ({ task }) => {
    const full = HOSTILE_STREAMS.length * 36
    const tally = startTally(task, { fault: 'F9', kind: 'hostile streams of 13 kinds at once', full })
    const copies = Math.max(2, Math.round(36 * scale))
    const modes = HOSTILE_STREAMS.flatMap((mode) => new Array<UpstreamMode>(copies).fill(mode))
    await askAll([...HOSTILE_STREAMS])
    const { result, grownBytes } = await measurePeak(() => askAll(modes))
    const causes = new Map<string, Set<string>>()
    for (const [index, answer] of result.entries()) {
      const kind = modes[index] ?? ''
      causes.set(kind, (causes.get(kind) ?? new Set()).add(answer.fault?.cause ?? 'none'))
    }
    expect(Object.fromEntries([...causes].map(([kind, set]) => [kind, [...set].join()]))).toEqual({
      'endless-line': 'STREAM_LIMIT',
      'endless-event': 'STREAM_LIMIT',
      'many-events': 'STREAM_LIMIT',
      'many-comments': 'STREAM_LIMIT',
      'fat-events': 'STREAM_LIMIT',
      'nested-events': 'STREAM_LIMIT',
      'gzip-bomb': 'ENCODING',
      redirect: 'REDIRECT',
      'slow-bytes': 'TIMEOUT',
      silent: 'TIMEOUT',
      'broken-json': 'BAD_STREAM',
      reset: 'BAD_STREAM',
      'endless-refusal': 'BAD_STREAM',
    })
    expect(grownBytes).toBeLessThan(128 << 20)
    tally.count = modes.length
  })

  test('one flooding miner among eight honest ones costs little CPU time and changes no measured speed', async ({
    task,
  }) => {
    const kind = 'pairs of rounds with and without a flooding miner'
    const tally = startTally(task, { fault: 'F11', kind, full: 24 * FLOODS.length })
    const runs = Math.max(2, Math.round(24 * scale))
    const quiet = new Array<UpstreamMode>(8).fill('even')
    const changes: number[] = []
    const costsMs: number[] = []
    await askAll([...quiet, 'endless-line', 'many-events', 'fat-events'])
    for (let run = 0; run < runs; run++) {
      for (const kind of FLOODS) {
        const pair = [quiet, [...quiet, kind]]
        const measured: Measured[] = []
        // alternate the order, so that a slow phase of the machine affects both alike
        for (const modes of run % 2 === 0 ? pair : pair.toReversed()) measured.push(await measureRound(modes))
        const [alone, beside] = run % 2 === 0 ? measured : measured.toReversed()
        if (!alone || !beside) throw new Error('missing measurement')
        changes.push((1 + alone.distortion) / (1 + beside.distortion) - 1)
        costsMs.push(beside.cpuMs - alone.cpuMs)
      }
    }
    const change = spread(changes.map(Math.abs))
    const cost = spread(costsMs)
    console.log(
      `with a flooding miner: honest speed ±${percent(change.middle)} median, ±${percent(change.worst)} worst; ` +
        `CPU time +${cost.middle.toFixed(0)} ms median, +${cost.worst.toFixed(0)} ms worst`,
    )
    // CPU time hardly depends on the load of the machine; the strict wall-clock bounds need a quiet one
    expect(cost.middle).toBeLessThan(100)
    expect(change.middle).toBeLessThan(scale === 1 ? 0.02 : 0.1)
    if (scale === 1) expect(change.worst).toBeLessThan(0.05)
    tally.count = changes.length
  })

  test('control: without the limits the same flood costs far more', async () => {
    const lifted = {
      ...limits,
      totalMs: 1500,
      lineBytes: 1e9,
      streamBytes: 1e9,
      parsingMs: 1e9,
      extraEvents: 1e9,
    }
    // a plain agent, without a bound on the bytes of a connection
    const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
    const before = process.cpuUsage()
    const [answer] = await askAll(['many-events'], lifted, agent)
    const { user, system } = process.cpuUsage(before)
    await agent.destroy()
    expect(answer?.fault?.cause).toBe('TIMEOUT')
    expect((user + system) / 1000).toBeGreaterThan(200)
  })
})

const FLOODS = ['endless-line', 'many-events', 'fat-events'] as const

interface Measured {
  /** Relative excess of our total time for the honest streams over the one stamped by their sender. */
  readonly distortion: number
  readonly cpuMs: number
}

async function measureRound(modes: readonly UpstreamMode[]): Promise<Measured> {
  const before = process.cpuUsage()
  const answers = await askAll(modes)
  const { user, system } = process.cpuUsage(before)
  const distortions = answers.flatMap((answer, index) => {
    if (modes[index] !== 'even') {
      expect(answer.fault?.cause).toBe('STREAM_LIMIT')
      return []
    }
    expect(answer).toMatchObject({ fault: undefined, chunks: EVEN_CHUNKS })
    const truthMs = readTruth(answer.text)
    return [(answer.timing.totalMs - truthMs) / truthMs]
  })
  return { distortion: spread(distortions).middle, cpuMs: (user + system) / 1000 }
}

function spread(values: readonly number[]): { middle: number; worst: number } {
  const sorted = [...values].sort((a, b) => a - b)
  return { middle: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, worst: sorted.at(-1) ?? Number.NaN }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}
