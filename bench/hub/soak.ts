import { readdirSync } from 'node:fs'
import { type Loader, startLoader } from '../miner/measure.js'
import { forkSubject } from '../miner/processes.js'
import type { Row } from '../row.js'
import { slopeOf } from '../slope.js'
import { type HubSubject, startHubSubject } from './subjects.js'

const SAMPLES = 40
/** The first part of the samples: pools, caches and the kept requests fill. */
const WARM_UP = 0.3
/** Reached within the warm-up by 5,000 requests or more. */
const RETAIN_BYTES = 16 << 20
/** In which the last answers are written before memory is read. */
const SETTLE_MS = 500
const LOAD = { model: 'burst', connections: 16, isSigned: false } as const
/** Less than the shortest thing that a request could leave behind in JavaScript. */
const MOST_BYTES_PER_REQUEST = 16

/** The memory of the hub over many requests, with answers kept for validators and without. */
export async function soakRows(requests: number): Promise<Row[]> {
  const upstream = await forkSubject('miner', 'upstream', [])
  const loader = await startLoader()
  const rows: Row[] = []
  try {
    for (const [name, retainSeconds] of [
      ['nothing kept', 0],
      ['answers kept', 86_400],
    ] as const) {
      const options = { minerPort: upstream.port, retainBytes: RETAIN_BYTES, isExposingGc: true }
      const hub = await startHubSubject(name, { ...options, retainSeconds })
      try {
        rows.push(...(await soak(hub, requests, loader)))
      } finally {
        await hub.stop()
      }
    }
    return rows
  } finally {
    loader.stop()
    await upstream.stop()
  }
}

interface Sample {
  readonly requests: number
  readonly heap: number
  readonly outside: number
  readonly resident: number
  readonly files: number
}

async function soak(hub: HubSubject, requests: number, loader: Loader): Promise<Row[]> {
  const each = Math.ceil(requests / SAMPLES)
  const samples: Sample[] = []
  let errors = 0
  for (let sent = each; sent <= each * SAMPLES; sent += each) {
    const result = await loader.send({ ...LOAD, port: hub.port, key: hub.key, requests: each })
    errors += result.errors
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const { heapUsed, external, rss } = await hub.memory()
    const files = readdirSync(`/proc/${hub.pid}/fd`).length
    samples.push({ requests: sent, heap: heapUsed, outside: external, resident: rss, files })
    console.error(`${hub.name}: ${sent} requests, heap ${megabytes(heapUsed)}, resident ${megabytes(rss)} MB`)
  }
  return [
    { name: `hub, ${hub.name}: errors in ${each * SAMPLES} requests`, value: errors, unit: 'errors' },
    ...growthRows(hub.name, 'heap', samples, ({ heap }) => heap, MOST_BYTES_PER_REQUEST),
    ...growthRows(hub.name, 'memory outside the heap', samples, ({ outside }) => outside),
    ...growthRows(hub.name, 'resident memory', samples, ({ resident }) => resident),
    {
      name: `hub, ${hub.name}: open files, after ${samples[warmUp(samples)]?.files} in the middle`,
      value: samples.at(-1)?.files ?? Number.NaN,
      unit: 'files at the end',
    },
  ]
}

function growthRows(
  name: string,
  what: string,
  samples: readonly Sample[],
  pick: (sample: Sample) => number,
  most?: number,
): Row[] {
  const settled = samples.slice(warmUp(samples))
  const slope = slopeOf(settled.map((sample) => [sample.requests, pick(sample)] as const))
  const [first, last] = [settled[0], settled.at(-1)].map((one) => (one ? pick(one) : Number.NaN))
  return [
    {
      name: `hub, ${name}: ${what}, ${megabytes(first ?? Number.NaN)} MB after the warm-up`,
      value: (last ?? Number.NaN) / 1e6,
      unit: 'MB at the end',
    },
    {
      name: `hub, ${name}: ${what}, slope`,
      value: slope,
      unit: 'bytes per request',
      ...(most === undefined
        ? {}
        : { goal: { must: `≤ ${most}`, reached: slope <= most ? ('must' as const) : ('missed' as const) } }),
    },
  ]
}

function warmUp(samples: readonly Sample[]): number {
  return Math.floor(samples.length * WARM_UP)
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
