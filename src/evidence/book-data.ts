import { z } from 'zod'
import { DIALECTS, STATISTICS } from './observation.js'

/** Miners and models of a book, at most: far more than a subnet has. */
export const MAX_PAIRS = 50_000

const finite = z.number().finite()
const count = finite.min(0)

/** A list of finite numbers, checked at once: number by number it is most of the time that reading a book takes. */
function numbers(least: number, message: string) {
  return z.custom<number[]>(
    (value) =>
      Array.isArray(value) &&
      value.length <= 16 &&
      value.every((one) => Number.isFinite(one) && one >= least),
    message,
  )
}

const wealths = numbers(0, 'must be at most 16 numbers of at least 0')
const statistic = z.object({
  /** log(1 + M) per detector. */
  suspicion: wealths,
  enforced: wealths,
  /** Tokens and sums, of recent answers above all: each answer weighs 1 % less than the next. */
  tokens: count,
  sums: numbers(Number.NEGATIVE_INFINITY, 'must be at most 16 numbers'),
})

const bar = z.object({
  statistic: z.enum(STATISTICS),
  /** log10 of the wealth at the alarm. */
  wealth: finite,
  /** Answers and tokens recorded until the alarm. */
  answers: count,
  tokens: count,
  /** Time of the alarm, in milliseconds since 1970. */
  since: finite,
  /** Clean answers in a row since then. */
  clean: count,
  /** How often evidence came back before enough answers were clean. */
  relapses: count,
})

const pair = z.object({
  hotkey: z.string().max(128),
  model: z.string().max(512),
  /** Time of the first answer, in milliseconds since 1970. */
  since: finite,
  answers: count,
  /** Those among them that a hub reported. */
  relayed: count.default(0),
  tokens: count,
  dialect: z.enum(DIALECTS).optional(),
  /** Answers with a seed that followed it, did not, or were too short to tell. */
  synchronised: count,
  unsynchronised: count,
  unknown: count,
  statistics: z.partialRecord(z.enum(STATISTICS), statistic),
  bar: bar.optional(),
  /** Evidence that the miner chooses where its answers end; 1 without any. */
  endings: finite.min(0),
})

/** The evidence of all miners as plain JSON. A book of another version is refused by the schema. */
export const evidenceBookData = z.object({ version: z.literal(1), pairs: z.array(pair).max(MAX_PAIRS) })

export type EvidenceBookData = z.infer<typeof evidenceBookData>
export type PairData = z.infer<typeof pair>
export type Bar = z.infer<typeof bar>
export type StatisticData = z.infer<typeof statistic>

/** A copy that shares nothing with the original; structuredClone takes many times as long. */
export function copyPair(pair: PairData): PairData {
  const statistics: PairData['statistics'] = {}
  for (const name of STATISTICS) {
    const data = pair.statistics[name]
    if (!data) continue
    const { suspicion, enforced, tokens, sums } = data
    statistics[name] = { suspicion: [...suspicion], enforced: [...enforced], tokens, sums: [...sums] }
  }
  return { ...pair, statistics, ...(pair.bar ? { bar: { ...pair.bar } } : {}) }
}
