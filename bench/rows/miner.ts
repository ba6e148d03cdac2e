import {
  checkRow,
  ONE_PROCESS,
  PYTHON,
  ROUTER_ALONE,
  rowsOf,
  SLOW,
  TWO_WORKERS,
  workersRows,
} from '../miner/figures.js'
import type { LoadOrder } from '../miner/load.js'
import { type Loader, measure, startLoader } from '../miner/measure.js'
import { MODERATE, moderateRows } from '../miner/moderate.js'
import { forkScript, forkSubject, messageFrom, SUBJECT_CORE, type Subject } from '../miner/processes.js'
import { startPython } from '../miner/python-proxy.js'
import { nginx } from '../peers/index.js'
import type { Bench, BenchSelection, Row } from '../row.js'

interface Case {
  readonly name: string
  readonly load: Omit<LoadOrder, 'port'>
}

const CASES: readonly Case[] = [
  { name: 'burst c=1', load: { model: 'burst', connections: 1, requests: 150 } },
  { name: 'burst c=32', load: { model: 'burst', connections: 32, requests: 3000 } },
  { name: 'burst c=256', load: { model: 'burst', connections: 256, requests: 1500 } },
  { name: 'tick c=32', load: { model: 'tick', connections: 32, requests: 1500 } },
]

/** From what load and upstream sustain on one core of a fast machine, down to what a slow machine sustains. */
const SLOW_STREAMS = [500, 350, 250, 180, 125, 90]

/** The upstream sends one chunk per stream every 10 ms; the load keeps pace when it receives this share of them directly. */
const NOMINAL_CHUNKS_PER_SECOND = 100
const KEPT_PACE = 0.85

/** Signature checks per measurement. */
const CHECKS = 500

/** Callers that disconnect mid-stream, in waves. */
const ABORTS = [200, 10_000]
const WAVE = 200

/** The miner compared with the upstream itself, and with other proxies. All receive the same signed requests. */
export const bench: Bench = {
  name: 'miner',
  summary:
    'requests through the miner, compared with direct, a bare Node proxy, and the proxies that are installed',
  run: async (selection) => [
    ...(isSelected(selection) ? await heavyRows(selection) : []),
    ...(selection.includes(MODERATE) ? await moderateRows(selection) : []),
  ],
}

function isSelected(selection: BenchSelection): boolean {
  const parts = [...CASES.map(({ name }) => name), `500 ${SLOW}`, ...ABORTS.map((count) => `${count} aborts`)]
  return parts.some((part) => selection.includes(part))
}

/** As many requests as each can answer. */
async function heavyRows(selection: BenchSelection): Promise<Row[]> {
  const upstream = await forkSubject('direct', 'upstream', [])
  const origin = `http://127.0.0.1:${upstream.port}`
  const subjects = [
    upstream,
    await nginx.start(upstream.port),
    await startPython(upstream.port),
    await forkSubject('bare node', 'pass-through', [origin]),
    await forkSubject(ROUTER_ALONE, 'miner', [origin, 'open']),
    await forkSubject(ONE_PROCESS, 'miner', [origin, '0']),
    await forkSubject('ours, checks on 1 thread', 'miner', [origin, '1'], 1),
    await forkSubject(TWO_WORKERS, 'miner', [origin, 'workers', '2'], 'everywhere'),
  ].filter((one) => one !== undefined)
  const [loader, verifier] = [await startLoader(), await forkScript('verifier', [], SUBJECT_CORE)]
  await messageFrom(verifier)
  const secondsPerCheck = async () => {
    const answer = messageFrom<number>(verifier)
    verifier.send(CHECKS)
    return (await answer) / CHECKS
  }
  try {
    for (const subject of subjects)
      for (let turn = 0; turn < 2; turn++) {
        const order = { model: 'burst', connections: 32, requests: 2500 } as const
        await loader.send({ ...order, requests: requestsFor(subject, order), port: subject.port })
      }
    const rows: Row[] = []
    for (const { name, load } of CASES.filter(({ name }) => selection.includes(name))) {
      const samples = await measure(subjects, orderOf(load), selection, loader)
      rows.push(...rowsOf(name, samples), ...workersRows(name, samples))
      rows.push(checkRow(name, samples, await secondsPerCheck()))
    }
    for (const streams of await slowCases(upstream.port, selection, loader)) {
      const name = `${streams.count} ${SLOW}`
      const order = { model: 'slow', connections: streams.count, requests: streams.count } as const
      rows.push(...rowsOf(name, await measure(subjects, orderOf(order), selection, loader), streams.isGraded))
    }
    for (const count of ABORTS.filter((count) => selection.includes(`${count} aborts`)))
      rows.push(...(await measureAborts(count, subjects, upstream, loader)))
    return rows
  } finally {
    loader.stop()
    verifier.kill('SIGKILL')
    await Promise.all(subjects.map((subject) => subject.stop()))
  }
}

/**
 * 500 streams. If this machine's load cannot keep their pace even directly, also the most streams with which it can: only
 * those can be graded on pace.
 */
async function slowCases(
  port: number,
  selection: BenchSelection,
  loader: Loader,
): Promise<{ readonly count: number; readonly isGraded: boolean }[]> {
  if (!selection.includes(`500 ${SLOW}`)) return []
  const [most = 0] = SLOW_STREAMS
  for (const count of SLOW_STREAMS) {
    const { chunks, seconds } = await loader.send({
      port,
      model: 'slow',
      connections: count,
      requests: count,
    })
    if (chunks / seconds < KEPT_PACE * NOMINAL_CHUNKS_PER_SECOND * count) continue
    if (count === most) return [{ count, isGraded: true }]
    return [
      { count: most, isGraded: false },
      { count, isGraded: true },
    ]
  }
  return [{ count: most, isGraded: false }]
}

const orderOf = (order: Omit<LoadOrder, 'port'>) => (subject: Subject) => ({
  ...order,
  requests: requestsFor(subject, order),
})

/** Fewer for Python, which would take minutes for what the others do in a second. */
function requestsFor({ name }: Subject, { connections, requests }: Omit<LoadOrder, 'port'>): number {
  return name === PYTHON ? Math.max(connections, Math.ceil(requests / 20)) : requests
}

/** Callers disconnect mid-stream: the next request must not be slower, and the upstream must be idle again. */
async function measureAborts(
  count: number,
  subjects: readonly Subject[],
  upstream: Subject,
  loader: Loader,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const subject of subjects.filter(({ name }) => name.startsWith('ours, ') && name !== ROUTER_ALONE)) {
    const { leaveMidStream } = await import('../miner/disconnecting-callers.js')
    for (let disconnected = 0; disconnected < count; disconnected += WAVE)
      await leaveMidStream(subject.port, WAVE)
    const { firstByteMs } = await loader.send({
      port: subject.port,
      model: 'burst',
      connections: 1,
      requests: 1,
    })
    const value = firstByteMs[0] ?? Number.POSITIVE_INFINITY
    rows.push({
      name: `next request after ${count} disconnects: ${subject.name}`,
      value,
      unit: 'ms',
      goal: { must: '≤ 50', reached: value <= 50 ? 'must' : 'missed' },
    })
    const leftover = Number(await (await fetch(`http://127.0.0.1:${upstream.port}/streaming`)).text())
    rows.push({
      name: `streams left at the upstream after ${count} disconnects: ${subject.name}`,
      value: leftover,
      unit: 'streams',
      goal: { must: '0', reached: leftover === 0 ? 'must' : 'missed' },
    })
  }
  return rows
}
