import { soakRows } from '../hub/soak.js'
import { startHubSubject } from '../hub/subjects.js'
import type { LoadOrder } from '../miner/load.js'
import { measure, startLoader, warm } from '../miner/measure.js'
import { forkSubject, type Subject } from '../miner/processes.js'
import { comparedRows, DIRECT } from '../peers/compared-rows.js'
import { BENCH_KEY, PEERS } from '../peers/index.js'
import { startPeers, versionRows } from '../peers/start.js'
import type { Bench, BenchSelection, Row } from '../row.js'

const OURS = ['ours, answers kept', 'ours, nothing kept'] as const
const DOES = 'checks keys and limits in SQLite, checks every event, signs'
const DAY = 86_400

interface Case {
  readonly name: string
  readonly load: Omit<LoadOrder, 'port'>
  readonly isSpeed: boolean
}

const CASES: readonly Case[] = [
  {
    name: 'burst, 1 caller',
    load: { model: 'burst', connections: 1, requests: 150 },
    isSpeed: true,
  },
  {
    name: 'burst, 32 callers',
    load: { model: 'burst', connections: 32, requests: 1500 },
    isSpeed: true,
  },
  {
    name: 'moderate, 50 requests per second, 125 streams',
    load: { model: 'steady', connections: 0, perSecond: 50, requests: 300 },
    isSpeed: false,
  },
]

/** Python takes minutes for what others do in a second. */
const SLOW_SHARE = 20

/** The hub compared with its miner asked directly, and with other gateways, each straight before the same server. */
export const bench: Bench = {
  name: 'hub',
  summary:
    'users’ requests through the hub, compared with direct and the gateways that are installed; or its memory',
  run: async (selection) =>
    selection.soak === undefined ? await comparisonRows(selection) : await soakRows(selection.soak),
}

type Keyed = Subject & { readonly key?: string }

async function comparisonRows(selection: BenchSelection): Promise<Row[]> {
  const upstream = await forkSubject(DIRECT, 'upstream', [])
  const subjects: Keyed[] = [upstream]
  const loader = await startLoader()
  const orderFor = (load: Case['load']) => (subject: Keyed) => {
    const requests = selection.requests ?? load.requests
    const isSlow = subject.name === 'LiteLLM' && load.perSecond === undefined
    return {
      ...load,
      isSigned: false,
      key: subject.key ?? BENCH_KEY,
      requests: isSlow ? Math.max(load.connections, Math.ceil(requests / SLOW_SHARE)) : requests,
    }
  }
  try {
    subjects.push(...(await startPeers(upstream.port)))
    const [kept, nothing] = OURS
    subjects.push(await startHubSubject(kept, { minerPort: upstream.port, retainSeconds: DAY }))
    subjects.push(await startHubSubject(nothing, { minerPort: upstream.port, retainSeconds: 0 }))
    const warmUp = orderFor({ model: 'burst', connections: 8, requests: 1000 })
    for (const subject of subjects) await warm(subject, warmUp(subject), loader)
    const does = new Map([
      ...PEERS.map(({ name, does }) => [name, does] as const),
      ...OURS.map((name) => [name, DOES] as const),
    ])
    const rows: Row[] = []
    for (const { name, load, isSpeed } of CASES.filter((one) => selection.includes(one.name))) {
      const samples = await measure(subjects, orderFor(load), selection, loader)
      rows.push(...comparedRows({ name, samples, does, isSpeed }))
    }
    return [...rows, ...versionRows()]
  } finally {
    loader.stop()
    await Promise.all(subjects.map((subject) => subject.stop()))
  }
}
