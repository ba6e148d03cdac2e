import { comparedRows, DIRECT } from '../peers/compared-rows.js'
import { BENCH_KEY, PEERS } from '../peers/index.js'
import { startPeers, versionRows } from '../peers/start.js'
import type { BenchSelection, Row } from '../row.js'
import { measure, startLoader, warm } from './measure.js'
import { forkSubject, type Subject } from './processes.js'

export const MODERATE = 'moderate'

/** 50 signed requests per second, each a stream of 2.5 s: 125 streams at a time. */
const LOAD = { model: 'steady', perSecond: 50, connections: 0, key: BENCH_KEY } as const
const NAME = `${MODERATE}, 50 requests per second, 125 streams`
const OURS = ['ours, signatures on the main thread', 'ours, signatures on 1 thread'] as const
const GOALS = { p50Ms: 1, p99Ms: 5, megabytes: 100 }
/** Requests until V8 has compiled what each of them runs; the first hundreds have a p99 of 15 to 50 ms. */
const WARM_UP = 500

/** LiteLLM cannot keep up with this load: each further request only makes its queue longer. */
const SATURATED = { name: 'LiteLLM', share: 0.2 }

/** The miner beside programs that check no signatures. */
export async function moderateRows(selection: BenchSelection): Promise<Row[]> {
  const upstream = await forkSubject(DIRECT, 'upstream', [])
  const origin = `http://127.0.0.1:${upstream.port}`
  const subjects: Subject[] = [upstream]
  const loader = await startLoader()
  try {
    subjects.push(...(await startPeers(upstream.port)))
    subjects.push(await forkSubject(OURS[0], 'miner', [origin, '0']))
    subjects.push(await forkSubject(OURS[1], 'miner', [origin, '1'], 1))
    const share = ({ name }: Subject) => (name === SATURATED.name ? SATURATED.share : 1)
    const order = (subject: Subject, requests: number) => ({
      ...LOAD,
      requests: Math.ceil(requests * share(subject)),
    })
    for (const subject of subjects) await warm(subject, order(subject, WARM_UP), loader)
    const requests = selection.requests ?? 1000
    const samples = await measure(subjects, (subject) => order(subject, requests), selection, loader)
    const does = new Map([
      ...PEERS.map((peer) => [peer.name, peer.does] as const),
      ...OURS.map((name) => [name, 'checks signatures, stake and limits'] as const),
    ])
    return [...comparedRows({ name: NAME, samples, does, goals: GOALS, isSpeed: false }), ...versionRows()]
  } finally {
    loader.stop()
    await Promise.all(subjects.map((subject) => subject.stop()))
  }
}
