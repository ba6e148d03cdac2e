import type { LoadOrder, LoadResult } from '../miner/load.js'
import { forkScript, forkSubject, messageFrom, type Subject, startNginx } from '../miner/processes.js'
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
  { name: '500 slow streams', order: { model: 'slow', connections: 500, requests: 500 } },
]

/** Callers that leave mid-stream, in waves. */
const ABORTS = [200, 10_000]
const WAVE = 200

interface Sample {
  readonly requestsPerSecond: number
  readonly chunksPerSecond: number
  readonly cpuPerThousand: number
  readonly firstByteP50Ms: number
  readonly firstByteP99Ms: number
  readonly rssMegabytes: number
  readonly errors: number
}

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
      await forkSubject('bare node', 'pass-through', [origin]),
      await forkSubject('ours, no door', 'miner', [origin, 'open']),
      await forkSubject('ours, checks inline', 'miner', [origin, '0']),
      await forkSubject('ours, 1 thread', 'miner', [origin, '1']),
    ].filter((one) => one !== undefined)
    const load = await forkScript('load')
    await messageFrom(load)
    const ask = async (order: LoadOrder): Promise<LoadResult> => {
      const answer = messageFrom<LoadResult>(load)
      load.send(order)
      return await answer
    }
    try {
      for (const subject of subjects)
        for (let turn = 0; turn < 2; turn++)
          await ask({ port: subject.port, model: 'burst', connections: 32, requests: 2500 })
      const rows: Row[] = []
      for (const { name, order } of CASES.filter(({ name }) => wanted.includes(name)))
        rows.push(...rowsOf(name, await measure(subjects, order, wanted, ask)))
      for (const count of ABORTS.filter((count) => wanted.includes(`${count} aborts`)))
        rows.push(...(await measureAborts(count, subjects, upstream, ask)))
      return rows
    } finally {
      load.kill('SIGKILL')
      for (const subject of subjects) subject.stop()
    }
  },
}

type Samples = ReadonlyMap<string, Sample>

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
      const result = await ask({ ...order, port: subject.port })
      const sorted = result.firstByteMs.sort((a, b) => a - b)
      samples.get(subject.name)?.push({
        requestsPerSecond: order.requests / result.seconds,
        chunksPerSecond: result.chunks / result.seconds,
        cpuPerThousand: ((subject.cpuSeconds() - before) / order.requests) * 1000,
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

function rowsOf(name: string, samples: Samples): Row[] {
  const base = samples.get('nginx') ? 'nginx' : 'bare node'
  const reference = samples.get(base)
  const direct = samples.get('direct')
  return [...samples].flatMap(([subject, sample]) => {
    const ratio = (pick: (one: Sample) => number) =>
      reference && subject !== base ? { ratio: { to: base, value: pick(sample) / pick(reference) } } : {}
    const speed = ratio((one) => one.requestsPerSecond)
    const cpu = ratio((one) => one.cpuPerThousand)
    const isOurs = subject.startsWith('ours, ') && subject !== 'ours, no door'
    const added = direct ? sample.firstByteP99Ms - direct.firstByteP99Ms : 0
    return [
      {
        name: `${name}: ${subject}`,
        value: sample.requestsPerSecond,
        unit: 'req/s',
        ...speed,
        ...(base === 'nginx' && isOurs ? speedGoal(name, speed.ratio?.value ?? 0) : {}),
      },
      ...(subject === 'direct'
        ? []
        : [
            {
              name: `${name}: ${subject}, CPU`,
              value: sample.cpuPerThousand,
              unit: 's per 1,000',
              ...cpu,
              ...(base === 'nginx' && (isOurs || name.startsWith('500'))
                ? cpuGoal(name, cpu.ratio?.value ?? 0)
                : {}),
            },
          ]),
      {
        name: `${name}: ${subject}, first byte p50 / p99 ${sample.firstByteP50Ms.toFixed(1)} / ${sample.firstByteP99Ms.toFixed(1)} ms, errors ${sample.errors}`,
        value: added,
        unit: 'ms added at p99',
      },
      ...(name.startsWith('500') ? slowRows(name, subject, sample, direct, reference) : []),
    ]
  })
}

function slowRows(
  name: string,
  subject: string,
  sample: Sample,
  direct: Sample | undefined,
  reference: Sample | undefined,
): Row[] {
  // The goals of slow streams speak of the way alone: with a door 500 at once also wait for 500 signatures.
  const isOurs = subject.startsWith('ours')
  const held = direct ? sample.chunksPerSecond / direct.chunksPerSecond : 0
  const late = reference ? sample.firstByteP99Ms / reference.firstByteP99Ms : 0
  return [
    {
      name: `${name}: ${subject}, first byte p99`,
      value: sample.firstByteP99Ms,
      unit: 'ms',
      ratio: { to: 'nginx', value: late },
      ...(isOurs
        ? {
            goal: grade(
              late,
              '≤ 4',
              '≤ 1.75',
              (value) => value <= 4,
              (value) => value <= 1.75,
            ),
          }
        : {}),
    },
    {
      name: `${name}: ${subject}, chunks`,
      value: sample.chunksPerSecond,
      unit: 'chunks/s',
      ratio: { to: 'direct', value: held },
      ...(isOurs ? { goal: { must: '≥ 0.99', reached: held >= 0.99 ? 'must' : 'missed' } } : {}),
    },
    {
      name: `${name}: ${subject}, RSS`,
      value: sample.rssMegabytes,
      unit: 'MB',
      ...(isOurs
        ? {
            goal: grade(
              sample.rssMegabytes,
              '≤ 130',
              '≤ 100',
              (value) => value <= 130,
              (value) => value <= 100,
            ),
          }
        : {}),
    },
  ]
}

function grade(
  value: number,
  must: string,
  firstClass: string,
  isMust: (value: number) => boolean,
  isFirst: (value: number) => boolean,
): NonNullable<Row['goal']> {
  return { must, firstClass, reached: isFirst(value) ? 'first class' : isMust(value) ? 'must' : 'missed' }
}

function speedGoal(name: string, value: number): Pick<Row, 'goal'> | object {
  if (name === 'burst c=32')
    return {
      goal: grade(
        value,
        '≥ 0.18',
        '≥ 0.25',
        (one) => one >= 0.18,
        (one) => one >= 0.25,
      ),
    }
  if (name === 'tick c=32')
    return {
      goal: grade(
        value,
        '≥ 0.95',
        '≥ 1.3',
        (one) => one >= 0.95,
        (one) => one >= 1.3,
      ),
    }
  return {}
}

function cpuGoal(name: string, value: number): Pick<Row, 'goal'> | object {
  const bounds: Record<string, [number, number]> = {
    'burst c=32': [10, 8],
    'tick c=32': [1.6, 1.05],
    '500 slow streams': [2.4, 1.6],
  }
  const found = bounds[name]
  if (found === undefined) return {}
  const [must, first] = found
  return {
    goal: grade(
      value,
      `≤ ${must}`,
      `≤ ${first}`,
      (one) => one <= must,
      (one) => one <= first,
    ),
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
  for (const subject of subjects.filter(
    ({ name }) => name.startsWith('ours, ') && name !== 'ours, no door',
  )) {
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
