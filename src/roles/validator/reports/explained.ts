import type { ModelReport } from '../../../history/index.js'
import { escapeControls } from '../../../kernel/index.js'
import type { MinersReport } from './read-report.js'
import { type ReportRow, rowsOf } from './rows.js'
import type { ValidatorStatus } from './status.js'

type MinerNow = ValidatorStatus['miners'][number]

/** One miner of a report, from the history and from the running validator (null when none runs). */
export interface ExplainedMiner {
  readonly uid: number
  readonly hotkey: string
  /** Times of the first and last result in the period; null when there is none. */
  readonly from: string | null
  readonly to: string | null
  readonly score: number | null
  /** In the last weights set, 0…65535. */
  readonly weightU16: number | null
  /** Wanted models the miner lists. */
  readonly serves: readonly string[] | null
  /** Verdicts since the validator started. */
  readonly sinceStart: MinerNow['verdicts'] | null
  readonly models: readonly ModelReport[]
}

/** The document of `targon validator report --json`. */
export interface ExplainedReport {
  readonly source: MinersReport['source']
  readonly since: string
  /** What the counts of the rows cover: the period, or all since the start of a validator that keeps no history. */
  readonly counted: 'period' | 'start'
  /** The validator running on this machine, if any. */
  readonly validator: Omit<ValidatorStatus, 'role' | 'miners'> | null
  /** What every format shows, in the order of `miners`. */
  readonly rows: readonly ReportRow[]
  /** Highest score first; by uid without scores. */
  readonly miners: readonly ExplainedMiner[]
}

/** Combines the history with the status of the running validator; `miner` is a uid or a hotkey. */
export function explainReport(report: MinersReport, miner?: string): ExplainedReport {
  const { source, since, now } = report
  const current = new Map((now?.miners ?? []).map((one) => [one.hotkey, one]))
  const past = new Map(report.miners.map((one) => [one.hotkey, one]))
  const miners = [...new Set([...past.keys(), ...current.keys()])].flatMap((hotkey): ExplainedMiner[] => {
    const [was, is] = [past.get(hotkey), current.get(hotkey)]
    const uid = is?.uid ?? was?.uid
    if (uid === undefined) return []
    if (miner !== undefined && was === undefined && miner !== hotkey && miner !== String(uid)) return []
    return [
      {
        uid,
        hotkey,
        from: was?.from ?? null,
        to: was?.to ?? null,
        score: is?.score ?? null,
        weightU16: is && now?.weights ? weightOf(uid, now.weights.entries) : null,
        serves: is?.models ?? null,
        sinceStart: is?.verdicts ?? null,
        models: was?.models ?? [],
      },
    ]
  })
  miners.sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || a.uid - b.uid)
  const counted = now?.history === false && report.miners.length === 0 ? 'start' : 'period'
  const rows = miners.flatMap((one) => rowsOf(one, counted))
  return { source, since, counted, validator: now ? summaryOf(now) : null, rows, miners }
}

function summaryOf({ role: _, miners: __, ...summary }: ValidatorStatus) {
  return summary
}

function weightOf(uid: number, entries: readonly { readonly uid: number; readonly weightU16: number }[]) {
  return entries.find((entry) => entry.uid === uid)?.weightU16 ?? 0
}

/** The same document with every text and key escaped, so that text of a miner cannot control a terminal or reverse a line. */
export function escapeTexts<T>(document: T): T {
  return escapeValue(document) as T
}

function escapeValue(value: unknown): unknown {
  if (typeof value === 'string') return escapeControls(value)
  if (Array.isArray(value)) return value.map(escapeValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [escapeControls(key), escapeValue(one)]),
  )
}
