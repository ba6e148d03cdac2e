import type { Row } from '../row.js'

/** The way through our process without a door before it. */
export const WAY_ALONE = 'ours, no door'

/** The shape of the original miner. */
export const PYTHON = 'Python'

export const SLOW = 'slow streams'

/** What one load on one subject showed, the median of several rounds. */
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

/** @param isJudged whether goals about pace can be judged here. */
export function rowsOf(name: string, samples: Samples, isJudged = true): Row[] {
  const base = samples.get('nginx') ? 'nginx' : 'bare node'
  const reference = samples.get(base)
  const direct = samples.get('direct')
  return [...samples].flatMap(([subject, sample]) => {
    const ratio = (pick: (one: Sample) => number) =>
      reference && subject !== base ? { ratio: { to: base, value: pick(sample) / pick(reference) } } : {}
    const speed = ratio((one) => one.requestsPerSecond)
    const cpu = ratio((one) => one.cpuPerThousand)
    const isWay = subject === WAY_ALONE
    const isOurs = subject.startsWith('ours, ') && !isWay
    // The goals of slow streams speak of the way alone: with a door 500 at once also wait for 500 signatures.
    const isCpuJudged = isJudged && base === 'nginx' && (name.endsWith(SLOW) ? isWay : isOurs)
    const added = direct ? sample.firstByteP99Ms - direct.firstByteP99Ms : 0
    return [
      ...(isOurs ? pythonRows(name, subject, sample, samples.get(PYTHON), isJudged) : []),
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
              ...(isCpuJudged ? cpuGoal(name, cpu.ratio?.value ?? 0) : {}),
            },
          ]),
      {
        name: `${name}: ${subject}, first byte p50 / p99 ${sample.firstByteP50Ms.toFixed(1)} / ${sample.firstByteP99Ms.toFixed(1)} ms, errors ${sample.errors}`,
        value: added,
        unit: 'ms added at p99',
      },
      ...(name.endsWith(SLOW)
        ? slowRows(name, subject, sample, { direct, reference }, isJudged && isWay)
        : []),
    ]
  })
}

/** Against the original's shape, which checks no signature, while we do. */
function pythonRows(
  name: string,
  subject: string,
  sample: Sample,
  python: Sample | undefined,
  isJudged: boolean,
): Row[] {
  const isSlow = name.endsWith(SLOW)
  if (python === undefined || (name !== 'burst c=32' && !isSlow)) return []
  const pick = (one: Sample) => (isSlow ? one.chunksPerSecond : one.requestsPerSecond)
  const value = pick(sample) / pick(python)
  // Without an answer to every request there is nothing to compare.
  const counted = sample.errors === 0 ? value : 0
  const isGraded = !isSlow || (isJudged && name === `500 ${SLOW}`)
  return [
    {
      name: `${name}: ${subject} beside ${PYTHON}, errors ${sample.errors} and ${python.errors}`,
      value: pick(sample),
      unit: isSlow ? 'chunks/s' : 'req/s',
      ratio: { to: PYTHON, value },
      ...(isGraded ? { goal: isSlow ? atLeast(counted, 8, 11) : atLeast(counted, 5.9, 11) } : {}),
    },
  ]
}

function slowRows(
  name: string,
  subject: string,
  sample: Sample,
  { direct, reference }: { readonly direct: Sample | undefined; readonly reference: Sample | undefined },
  isJudged: boolean,
): Row[] {
  const held = direct ? sample.chunksPerSecond / direct.chunksPerSecond : 0
  const late = reference ? sample.firstByteP99Ms / reference.firstByteP99Ms : 0
  return [
    {
      name: `${name}: ${subject}, first byte p99`,
      value: sample.firstByteP99Ms,
      unit: 'ms',
      ratio: { to: 'nginx', value: late },
      ...(isJudged
        ? {
            goal: atMost(late, 4, 1.75),
          }
        : {}),
    },
    {
      name: `${name}: ${subject}, chunks`,
      value: sample.chunksPerSecond,
      unit: 'chunks/s',
      ratio: { to: 'direct', value: held },
      ...(isJudged ? { goal: { must: '≥ 0.99', reached: held >= 0.99 ? 'must' : 'missed' } } : {}),
    },
    {
      name: `${name}: ${subject}, RSS`,
      value: sample.rssMegabytes,
      unit: 'MB',
      ...(isJudged
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

/** @param toMust how far beyond a bound the value is, negative when short of it. */
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

/** The floor of everybody who checks signatures: the same check on the same core, and nothing else. */
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
