import type { Row } from '../row.js'

/** Our router alone, without admission. */
export const ROUTER_ALONE = 'ours, no admission'

/** A proxy built like the original miner. */
export const PYTHON = 'Python'

export const SLOW = 'slow streams'

/** Our miner in one process, and in two workers. */
export const ONE_PROCESS = 'ours, checks on the main thread'
export const TWO_WORKERS = 'targon miner, --workers 2'

/** One load on one subject, the median of several rounds. */
export interface Sample {
  readonly requestsPerSecond: number
  readonly chunksPerSecond: number
  readonly cpuPerThousand: number
  readonly firstByteP50Ms: number
  readonly firstByteP99Ms: number
  readonly rssMegabytes: number
  readonly errors: number
}

/** By subject. */
export type Samples = ReadonlyMap<string, Sample>

/** @param isPaceGraded whether the load can keep the pace that the goals assume */
export function rowsOf(name: string, samples: Samples, isPaceGraded = true): Row[] {
  const base = samples.get('nginx') ? 'nginx' : 'bare node'
  const reference = samples.get(base)
  const direct = samples.get('direct')
  return [...samples].flatMap(([subject, sample]) => {
    const ratio = (pick: (one: Sample) => number) =>
      reference && subject !== base ? { ratio: { to: base, value: pick(sample) / pick(reference) } } : {}
    const speed = ratio((one) => one.requestsPerSecond)
    const cpu = ratio((one) => one.cpuPerThousand)
    const isRouterAlone = subject === ROUTER_ALONE
    const isOurs = subject.startsWith('ours, ') && !isRouterAlone
    // slow streams are graded on the router alone: with admission, 500 at once also wait for 500 signature checks
    const isCpuGraded = isPaceGraded && base === 'nginx' && (name.endsWith(SLOW) ? isRouterAlone : isOurs)
    const added = direct ? sample.firstByteP99Ms - direct.firstByteP99Ms : 0
    return [
      ...(isOurs ? pythonRows(name, subject, sample, samples.get(PYTHON), isPaceGraded) : []),
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
              ...(isCpuGraded ? cpuGoal(name, cpu.ratio?.value ?? 0) : {}),
            },
          ]),
      {
        name: `${name}: ${subject}, first byte p50 / p99 ${sample.firstByteP50Ms.toFixed(1)} / ${sample.firstByteP99Ms.toFixed(1)} ms, errors ${sample.errors}`,
        value: added,
        unit: 'ms added at p99',
      },
      ...(name.endsWith(SLOW)
        ? slowRows(name, subject, sample, { direct, reference }, isPaceGraded && isRouterAlone)
        : []),
    ]
  })
}

/** Compared with the original's design, which checks no signatures. */
function pythonRows(
  name: string,
  subject: string,
  sample: Sample,
  python: Sample | undefined,
  isPaceGraded: boolean,
): Row[] {
  const isSlow = name.endsWith(SLOW)
  if (python === undefined || (name !== 'burst c=32' && !isSlow)) return []
  const pick = (one: Sample) => (isSlow ? one.chunksPerSecond : one.requestsPerSecond)
  const value = pick(sample) / pick(python)
  // only comparable if every request was answered
  const graded = sample.errors === 0 ? value : 0
  const isGraded = !isSlow || (isPaceGraded && name === `500 ${SLOW}`)
  return [
    {
      name: `${name}: ${subject} compared with ${PYTHON}, errors ${sample.errors} and ${python.errors}`,
      value: pick(sample),
      unit: isSlow ? 'chunks/s' : 'req/s',
      ratio: { to: PYTHON, value },
      ...(isGraded ? { goal: isSlow ? atLeast(graded, 8, 11) : atLeast(graded, 5.9, 11) } : {}),
    },
  ]
}

function slowRows(
  name: string,
  subject: string,
  sample: Sample,
  { direct, reference }: { readonly direct: Sample | undefined; readonly reference: Sample | undefined },
  isPaceGraded: boolean,
): Row[] {
  const keptPace = direct ? sample.chunksPerSecond / direct.chunksPerSecond : 0
  const lateness = reference ? sample.firstByteP99Ms / reference.firstByteP99Ms : 0
  return [
    {
      name: `${name}: ${subject}, first byte p99`,
      value: sample.firstByteP99Ms,
      unit: 'ms',
      ratio: { to: 'nginx', value: lateness },
      ...(isPaceGraded
        ? {
            goal: atMost(lateness, 4, 1.75),
          }
        : {}),
    },
    {
      name: `${name}: ${subject}, chunks`,
      value: sample.chunksPerSecond,
      unit: 'chunks/s',
      ratio: { to: 'direct', value: keptPace },
      ...(isPaceGraded ? { goal: { must: '≥ 0.99', reached: keptPace >= 0.99 ? 'must' : 'missed' } } : {}),
    },
    {
      name: `${name}: ${subject}, RSS`,
      value: sample.rssMegabytes,
      unit: 'MB',
      ...(isPaceGraded
        ? {
            goal: atMost(sample.rssMegabytes, 130, 100),
          }
        : {}),
    },
  ]
}

type Goal = NonNullable<Row['goal']>

const atLeast = (value: number, must: number, firstClass: number): Goal =>
  goalOf('≥', value - must, value - firstClass, must, firstClass)

const atMost = (value: number, must: number, firstClass: number): Goal =>
  goalOf('≤', must - value, firstClass - value, must, firstClass)

/** @param toMust how far the value is beyond the bound; negative if it misses it */
function goalOf(sign: string, toMust: number, toFirst: number, must: number, firstClass: number): Goal {
  const reached = toFirst >= 0 ? 'first class' : toMust >= 0 ? 'must' : 'missed'
  return { must: `${sign} ${must}`, firstClass: `${sign} ${firstClass}`, reached }
}

function speedGoal(name: string, value: number): Pick<Row, 'goal'> | object {
  if (name === 'burst c=32')
    return {
      goal: atLeast(value, 0.18, 0.25),
    }
  if (name === 'tick c=32')
    return {
      goal: atLeast(value, 0.95, 1.3),
    }
  return {}
}

function cpuGoal(name: string, value: number): Pick<Row, 'goal'> | object {
  const bounds: Record<string, [number, number]> = {
    'burst c=32': [10, 8],
    'tick c=32': [1.6, 1.05],
    [SLOW]: [2.4, 1.6],
  }
  const found = bounds[name.endsWith(SLOW) ? SLOW : name]
  if (found === undefined) return {}
  const [must, first] = found
  return {
    goal: atMost(value, must, first),
  }
}

/**
 * What two workers could answer on two cores, compared with one process on one core. Load and model server work on the same
 * cores, so requests per second say little there: the CPU time of a request decides how many fit into a second of a core.
 */
export function workersRows(name: string, samples: Samples): Row[] {
  const [one, two] = [samples.get(ONE_PROCESS), samples.get(TWO_WORKERS)]
  if (one === undefined || two === undefined) return []
  const value = two.errors === 0 ? (2 * one.cpuPerThousand) / two.cpuPerThousand : 0
  return [
    {
      name: `${name}: ${TWO_WORKERS}, two cores by CPU per request, errors ${two.errors}`,
      value: 2000 / two.cpuPerThousand,
      unit: 'req/s',
      ratio: { to: ONE_PROCESS, value },
      goal: { must: '≥ 1.6', reached: value >= 1.6 ? 'must' : 'missed' },
    },
  ]
}

/** The minimum for anything that checks signatures: the same check on the same core, and nothing else. */
export function checkRow(name: string, samples: Samples, secondsPerCheck: number): Row {
  const reference = samples.get('nginx')
  return {
    name: `${name}: signature checks alone, CPU`,
    value: secondsPerCheck * 1000,
    unit: 's per 1,000',
    ...(reference
      ? { ratio: { to: 'nginx', value: (secondsPerCheck * 1000) / reference.cpuPerThousand } }
      : {}),
  }
}
