import type { Sample, Samples } from '../miner/figures.js'
import type { Row } from '../row.js'
import { PEERS } from './index.js'

/** With what the names of our own subjects begin. */
const OURS = 'ours'
export const DIRECT = 'direct'

/** The goal is to be ahead of those that read requests too. */
const RIVALS = ['vllm-router', 'LiteLLM']

export interface ComparedOptions {
  /** The load. */
  readonly name: string
  readonly samples: Samples
  /** What each does with a request. */
  readonly does: ReadonlyMap<string, string>
  /** What ours may add to the first token, and use. Without goals there is no comparison with the rivals one by one. */
  readonly goals?: { readonly p50Ms: number; readonly p99Ms: number; readonly megabytes: number }
  /** Whether requests per second say something: not at a fixed pace. */
  readonly isSpeed: boolean
}

/** Rows of each program, then ours compared with its rivals. Programs that are missing have a row that says so. */
export function comparedRows(options: ComparedOptions): Row[] {
  const { name, samples, goals } = options
  const missing = PEERS.filter((peer) => !samples.has(peer.name))
  return [
    ...[...samples].flatMap(([subject, sample]) => rowsOfOne(options, subject, sample)),
    ...missing.map((peer) => textRow(`${name}: ${peer.name}`, 'not installed')),
    ...(goals === undefined ? [] : [...samples.keys()])
      .filter((subject) => subject.startsWith(OURS))
      .flatMap((ours) => RIVALS.flatMap((rival) => rivalRows(options, ours, rival))),
  ]
}

/** A row that says something instead of a number. */
export function textRow(name: string, text: string): Row {
  return { name, value: Number.NaN, unit: text }
}

function rowsOfOne(
  { name, samples, does, goals, isSpeed }: ComparedOptions,
  subject: string,
  sample: Sample,
): Row[] {
  const title = `${name}: ${subject}`
  const direct = samples.get(DIRECT)
  const base = samples.get('nginx')
  const ratio = (to: string, other: Sample | undefined, pick: (one: Sample) => number) =>
    other && subject !== to ? { ratio: { to, value: pick(sample) / pick(other) } } : {}
  const goal = (value: number, most: number | undefined, unit: string) =>
    most === undefined || !subject.startsWith(OURS)
      ? {}
      : {
          goal: {
            must: `≤ ${most} ${unit}`,
            reached: value <= most ? ('must' as const) : ('missed' as const),
          },
        }
  const speed: Row = {
    name: `${title} (${does.get(subject) ?? 'no proxy'}), errors ${sample.errors}`,
    value: sample.requestsPerSecond,
    unit: 'req/s',
    ...ratio(DIRECT, direct, (one) => one.requestsPerSecond),
  }
  if (subject === DIRECT || direct === undefined)
    return [
      speed,
      { name: `${title}, first token p50`, value: sample.firstByteP50Ms, unit: 'ms' },
      { name: `${title}, first token p99`, value: sample.firstByteP99Ms, unit: 'ms' },
    ]
  const p50 = sample.firstByteP50Ms - direct.firstByteP50Ms
  const p99 = sample.firstByteP99Ms - direct.firstByteP99Ms
  return [
    isSpeed ? speed : { ...speed, ...ratio(DIRECT, direct, (one) => one.chunksPerSecond) },
    {
      name: `${title}, CPU`,
      value: sample.cpuPerThousand,
      unit: 's per 1,000',
      ...ratio('nginx', base, (one) => one.cpuPerThousand),
    },
    { name: `${title}, first token p50`, value: p50, unit: 'ms added', ...goal(p50, goals?.p50Ms, 'ms') },
    { name: `${title}, first token p99`, value: p99, unit: 'ms added', ...goal(p99, goals?.p99Ms, 'ms') },
    {
      name: `${title}, memory`,
      value: sample.rssMegabytes,
      unit: 'MB',
      ...goal(sample.rssMegabytes, goals?.megabytes, 'MB'),
    },
  ]
}

/** The goal is to be ahead in each figure. */
function rivalRows({ name, samples, isSpeed }: ComparedOptions, ours: string, rival: string): Row[] {
  const [own, other, direct] = [samples.get(ours), samples.get(rival), samples.get(DIRECT)]
  if (own === undefined || other === undefined || direct === undefined) return []
  const figures: [figure: string, unit: string, pick: (one: Sample) => number][] = [
    ['CPU', 's per 1,000', (one) => one.cpuPerThousand],
    ['first token p50', 'ms', (one) => one.firstByteP50Ms],
    ['first token p99', 'ms', (one) => one.firstByteP99Ms],
    ['memory', 'MB', (one) => one.rssMegabytes],
    ...(isSpeed
      ? [['time', 's per 1,000', (one) => 1000 / one.requestsPerSecond] as (typeof figures)[number]]
      : []),
  ]
  return figures.map(([figure, unit, pick]) => ({
    name: `${name}: ${ours} beside ${rival}, ${figure}`,
    value: pick(own),
    unit,
    ratio: { to: rival, value: pick(own) / pick(other) },
    goal: { must: `≤ 1 × ${rival}`, reached: pick(own) <= pick(other) ? 'must' : 'missed' },
  }))
}
