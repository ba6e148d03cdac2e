import { endProcess, forkScript, messageFrom, SUBJECT_CORE } from '../miner/processes.js'
import { type BenchSelection, median, type Row } from '../row.js'
import type { EpochCost } from './validator.js'

export const SCALE = 'scale'

const MODEL = 'targon-dev/small-a'
const MINERS = [64, 256, 1024] as const
const ANSWERS = 2048
/** 37 answers in each round of a minute and a half. */
const ANSWERS_PER_DAY = 37 * 960
const FLAT = 1.15
const DELAY_MS = 20
const MEGABYTES = 300

/** One epoch of a whole validator before 64, 256 and 1,024 miners: rounds, verdicts, evidence, history and weights. */
export async function scaleRows(selection: BenchSelection): Promise<Row[]> {
  const miners = await forkScript('miners', [MODEL])
  try {
    const { port, enginePort } = await messageFrom<{ port: number; enginePort: number }>(miners)
    const costs = new Map<number, EpochCost[]>(MINERS.map((count) => [count, []]))
    for (let round = 0; round < selection.rounds; round++)
      for (const count of MINERS) {
        const args = [port, enginePort, MODEL, count, selection.requests ?? ANSWERS].map(String)
        costs.get(count)?.push(await epochCost(args))
      }
    return [...costs].flatMap(([count, all]) => rowsOf(count, all, costs.get(MINERS[0]) ?? []))
  } finally {
    await endProcess(miners, 'SIGKILL')
  }
}

async function epochCost(args: string[]): Promise<EpochCost> {
  const child = await forkScript('validator', args, SUBJECT_CORE)
  try {
    return await messageFrom<EpochCost>(child)
  } finally {
    await endProcess(child, 'SIGTERM')
  }
}

function rowsOf(miners: number, all: readonly EpochCost[], fewest: readonly EpochCost[]): Row[] {
  const perAnswer = ({ cpuSeconds, verified }: EpochCost) => (cpuSeconds / verified) * 1000
  const of = (pick: (cost: EpochCost) => number) => median(all.map(pick))
  const cpu = of(perAnswer)
  const ratio = cpu / median(fewest.map(perAnswer))
  const delay = of((cost) => cost.delayMs)
  const resident = of((cost) => cost.residentBytes) / 1e6
  const name = `${SCALE}, ${miners} miners`
  const atMost = (value: number, most: number, unit: string) => ({
    goal: { must: `≤ ${most}${unit}`, reached: value <= most ? ('must' as const) : ('missed' as const) },
  })
  return [
    {
      name: `${name}: CPU per verified answer of 64 tokens`,
      value: cpu,
      unit: 'ms',
      ...(miners === MINERS[0]
        ? {}
        : { ratio: { to: `${MINERS[0]} miners`, value: ratio }, ...atMost(ratio, FLAT, ' ×') }),
    },
    { name: `${name}: answers not verified`, value: of((cost) => cost.others), unit: 'answers' },
    {
      name: `${name}: delay of the event loop, p99`,
      value: delay,
      unit: 'ms',
      ...atMost(delay, DELAY_MS, ' ms'),
    },
    {
      name: `${name}: longest delay of the event loop`,
      value: of((cost) => cost.longestDelayMs),
      unit: 'ms',
    },
    { name: `${name}: resident memory`, value: resident, unit: 'MB', ...atMost(resident, MEGABYTES, ' MB') },
    { name: `${name}: history per answer`, value: of((cost) => cost.historyBytes), unit: 'bytes' },
    {
      name: `${name}: history per day, at ${ANSWERS_PER_DAY} answers`,
      value: (of((cost) => cost.historyBytes) * ANSWERS_PER_DAY) / 1e6,
      unit: 'MB',
    },
  ]
}
