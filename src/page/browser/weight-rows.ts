import type { WeightVector } from './documents.js'

export interface WeightRow {
  readonly uid: number
  readonly hotkey: string
  /** Undefined without a vector to compare with. */
  readonly before: number | undefined
  readonly now: number
}

/** The neurons of both vectors, by weight. A neuron that a vector leaves out has weight 0 in it. */
export function weightRows(
  now: WeightVector,
  before: WeightVector | null | undefined,
  hotkeys: ReadonlyMap<number, string>,
): WeightRow[] {
  const [newer, older] = [weightsOf(now), weightsOf(before)]
  return [...new Set([...newer.keys(), ...older.keys()])]
    .map((uid) => ({
      uid,
      hotkey: hotkeys.get(uid) ?? '',
      before: before ? (older.get(uid) ?? 0) : undefined,
      now: newer.get(uid) ?? 0,
    }))
    .filter((row) => row.now > 0 || (row.before ?? 0) > 0)
    .sort((a, b) => b.now - a.now || a.uid - b.uid)
}

function weightsOf(vector: WeightVector | null | undefined): ReadonlyMap<number, number> {
  return new Map(vector?.entries.map(({ uid, weightU16 }) => [uid, weightU16]))
}

/** `+120`, `-7`, `0`; a dash without a vector to compare with. */
export function changeText({ before, now }: Pick<WeightRow, 'before' | 'now'>): string {
  if (before === undefined) return '–'
  return now > before ? `+${now - before}` : String(now - before)
}
