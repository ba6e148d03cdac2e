import { checkRow, PYTHON, rowsOf, type Sample, type Samples, SLOW, WAY_ALONE } from '../miner/figures.js'
import type { LoadOrder, LoadResult } from '../miner/load.js'
import { startNginx, startPython } from '../miner/others.js'
import { forkScript, forkSubject, messageFrom, SUBJECT_CORE, type Subject } from '../miner/processes.js'
import { type Bench, type BenchOrder, median, type Row } from '../row.js'

interface Case {
  readonly name: string
  readonly order: Omit<LoadOrder, 'port'>
}

const CASES: readonly Case[] = [
  { name: 'burst c=1', order: { model: 'burst', connections: 1, requests: 150 } },
  { name: 'burst c=32', order: { model: 'burst', connections: 32, requests: 3000 } },
  { name: 'burst c=256', order: { model: 'burst', connections: 256, requests: 1500 } },
  { name: 'tick c=32', order: { model: 'tick', connections: 32, requests: 1500 } },
]

/** As many as load and upstream hold on one core of a fast machine, and steps down to what a slow one holds. */
const SLOW_STREAMS = [500, 350, 250, 180, 125, 90]

/** An upstream sends a stream a chunk each 10 ms; the direct way holds the pace when it carries this share of them. */
const NOMINAL_CHUNKS_PER_SECOND = 100
const HELD = 0.85

/** Signature checks in a row that tell what one costs. */
const CHECKS = 500

/** Callers that leave mid-stream, in waves. */
const ABORTS = [200, 10_000]
const WAVE = 200

/** The miner's way beside the limits: the upstream itself, nginx, the bare Node pass-through. All see the same signed requests. */
export const bench: Bench = {
  name: 'miner',
  summary: 'requests through the miner against direct, nginx and a bare Node pass-through',
  run: async (wanted) => {
    const upstream = await forkSubject('direct', 'upstream', [])
    const origin = `http://127.0.0.1:${upstream.port}`
    const subjects = [
      upstream,
      await startNginx(upstream.port),
      await startPython(upstream.port),
      await forkSubject('bare node', 'pass-through', [origin]),
      await forkSubject(WAY_ALONE, 'miner', [origin, 'open']),
      await forkSubject('ours, checks inline', 'miner', [origin, '0']),
      await forkSubject('ours, 1 thread', 'miner', [origin, '1'], 1),
    ].filter((one) => one !== undefined)
    const [load, verifier] = await Promise.all([forkScript('load'), forkScript('verifier', [], SUBJECT_CORE)])
    await Promise.all([messageFrom(load), messageFrom(verifier)])
    const secondsPerCheck = async () => {
      const answer = messageFrom<number>(verifier)
      verifier.send(CHECKS)
      return (await answer) / CHECKS
    }
    const ask = async (order: LoadOrder): Promise<LoadResult> => {
      const answer = messageFrom<LoadResult>(load)
      load.send(order)
      return await answer
    }
    try {
      for (const subject of subjects)
        for (let turn = 0; turn < 2; turn++) {
          const order = { model: 'burst', connections: 32, requests: 2500 } as const
          await ask({ ...order, requests: requestsFor(subject, order), port: subject.port })
        }
      const rows: Row[] = []
      for (const { name, order } of CASES.filter(({ name }) => wanted.includes(name))) {
        const samples = await measure(subjects, order, wanted, ask)
        rows.push(...rowsOf(name, samples), checkRow(name, samples, await secondsPerCheck()))
      }
      for (const streams of await slowCases(upstream.port, wanted, ask)) {
        const name = `${streams.count} ${SLOW}`
        const order = { model: 'slow', connections: streams.count, requests: streams.count } as const
        rows.push(...rowsOf(name, await measure(subjects, order, wanted, ask), streams.isJudged))
      }
      for (const count of ABORTS.filter((count) => wanted.includes(`${count} aborts`)))
        rows.push(...(await measureAborts(count, subjects, upstream, ask)))
      return rows
    } finally {
      load.kill('SIGKILL')
      verifier.kill('SIGKILL')
      for (const subject of subjects) subject.stop()
    }
  },
}

/**
 * 500 streams, and where this machine's load cannot hold their pace even without anybody between, the most it holds: a
 * goal about pace can only be judged where there is one.
 */
async function slowCases(
  port: number,
  wanted: BenchOrder,
  ask: (order: LoadOrder) => Promise<LoadResult>,
): Promise<{ readonly count: number; readonly isJudged: boolean }[]> {
  if (!wanted.includes(`500 ${SLOW}`)) return []
  const [most = 0] = SLOW_STREAMS
  for (const count of SLOW_STREAMS) {
    const { chunks, seconds } = await ask({ port, model: 'slow', connections: count, requests: count })
    if (chunks / seconds < HELD * NOMINAL_CHUNKS_PER_SECOND * count) continue
    if (count === most) return [{ count, isJudged: true }]
    return [
      { count: most, isJudged: false },
      { count, isJudged: true },
    ]
  }
  return [{ count: most, isJudged: false }]
}

/** Python would take minutes for what the others do in a second. */
function requestsFor({ name }: Subject, { connections, requests }: Omit<LoadOrder, 'port'>): number {
  return name === PYTHON ? Math.max(connections, Math.ceil(requests / 20)) : requests
}

/** Rounds are interleaved, so that a busy moment of the machine hits all alike. */
async function measure(
  subjects: readonly Subject[],
  order: Omit<LoadOrder, 'port'>,
  { rounds }: BenchOrder,
  ask: (order: LoadOrder) => Promise<LoadResult>,
): Promise<Samples> {
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const before = subject.cpuSeconds()
      const requests = requestsFor(subject, order)
      const result = await ask({ ...order, requests, port: subject.port })
      const sorted = result.firstByteMs.sort((a, b) => a - b)
      samples.get(subject.name)?.push({
        requestsPerSecond: requests / result.seconds,
        chunksPerSecond: result.chunks / result.seconds,
        cpuPerThousand: ((subject.cpuSeconds() - before) / requests) * 1000,
        firstByteP50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
        firstByteP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
        rssMegabytes: subject.rssMegabytes(),
        errors: result.errors,
      })
    }
  }
  return new Map([...samples].map(([name, all]) => [name, medianOf(all)]))
}

function medianOf(all: readonly Sample[]): Sample {
  const of = (pick: (sample: Sample) => number) => median(all.map(pick))
  return {
    requestsPerSecond: of((one) => one.requestsPerSecond),
    chunksPerSecond: of((one) => one.chunksPerSecond),
    cpuPerThousand: of((one) => one.cpuPerThousand),
    firstByteP50Ms: of((one) => one.firstByteP50Ms),
    firstByteP99Ms: of((one) => one.firstByteP99Ms),
    rssMegabytes: of((one) => one.rssMegabytes),
    errors: Math.max(...all.map((one) => one.errors)),
  }
}

/** P11: callers leave mid-stream; the next request must not notice, and the upstream must be idle again. */
async function measureAborts(
  count: number,
  subjects: readonly Subject[],
  upstream: Subject,
  ask: (order: LoadOrder) => Promise<LoadResult>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const subject of subjects.filter(({ name }) => name.startsWith('ours, ') && name !== WAY_ALONE)) {
    const { leaveMidStream } = await import('../miner/leavers.js')
    for (let gone = 0; gone < count; gone += WAVE) await leaveMidStream(subject.port, WAVE)
    const { firstByteMs } = await ask({ port: subject.port, model: 'burst', connections: 1, requests: 1 })
    const value = firstByteMs[0] ?? Number.POSITIVE_INFINITY
    rows.push({
      name: `next request after ${count} left: ${subject.name}`,
      value,
      unit: 'ms',
      goal: { must: '≤ 50', reached: value <= 50 ? 'must' : 'missed' },
    })
    const left = Number(await (await fetch(`http://127.0.0.1:${upstream.port}/streaming`)).text())
    rows.push({
      name: `streams left at the upstream after ${count}: ${subject.name}`,
      value: left,
      unit: 'streams',
      goal: { must: '0', reached: left === 0 ? 'must' : 'missed' },
    })
  }
  return rows
}
