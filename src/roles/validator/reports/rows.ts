import type { ModelReport } from '../../../history/index.js'

type Verdicts = ModelReport['verdicts']

/** One line of a report, of a miner and a model. Text, page, CSV and JSON all show these numbers. */
export interface ReportRow {
  readonly uid: number
  readonly hotkey: string
  /** Empty for a miner that has no results of any model and lists none. */
  readonly model: string
  readonly score: number | null
  /** In the last weights set, 0…65535. */
  readonly weightU16: number | null
  readonly verified: number
  readonly inconclusive: number
  /** Failures of any cause. */
  readonly failed: number
  /** Failures by cause. */
  readonly causes: Readonly<Record<string, number>>
  /** Null where no history counts them. */
  readonly notServing: number | null
  readonly tokensPerSecond: ModelReport['tokensPerSecond']
  readonly timeToFirstTokenMs: ModelReport['timeToFirstTokenMs']
}

/** What a row is made of. */
interface RowSource extends Pick<ReportRow, 'uid' | 'hotkey' | 'score' | 'weightU16'> {
  readonly serves: readonly string[] | null
  readonly sinceStart: Verdicts | null
  readonly models: readonly ModelReport[]
}

const NO_VERDICTS: Verdicts = { verified: 0, inconclusive: 0, failed: {} }

/**
 * The rows of a miner: one per model of its history. A miner without results has one row, whose counts are those since the
 * validator started when it keeps no history, and otherwise 0.
 */
export function rowsOf(miner: RowSource, counted: 'period' | 'start'): ReportRow[] {
  if (miner.models.length > 0)
    return miner.models.map((model) => ({
      ...headOf(miner, model.model),
      ...countsOf(model.verdicts),
      notServing: model.notServing,
      tokensPerSecond: model.tokensPerSecond,
      timeToFirstTokenMs: model.timeToFirstTokenMs,
    }))
  const verdicts = counted === 'start' ? (miner.sinceStart ?? NO_VERDICTS) : NO_VERDICTS
  const unknown = { notServing: null, tokensPerSecond: null, timeToFirstTokenMs: null }
  return [{ ...headOf(miner, miner.serves?.join(', ') ?? ''), ...countsOf(verdicts), ...unknown }]
}

function headOf({ uid, hotkey, score, weightU16 }: RowSource, model: string) {
  return { uid, hotkey, model, score, weightU16 }
}

function countsOf({ verified, inconclusive, failed }: Verdicts) {
  return { verified, inconclusive, failed: sumOf(failed), causes: failed }
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** `OVERFIT 2, NO_LOGPROBS 1`, most frequent first; `0` for none. */
export function describeCauses(causes: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(causes).sort(([, a], [, b]) => b - a)
  return sorted.length === 0 ? '0' : sorted.map(([cause, count]) => `${cause} ${count}`).join(', ')
}
