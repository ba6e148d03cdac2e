import type { Clock } from '../kernel/index.js'

/** Parts into which the window is divided: counts leave it one part at a time. */
const PARTS = 15
/** Names come from others. */
const MAX_KEYS = 512

export interface RecentCounts {
  note(key: string, label: string): void
  /** Counts by label of one key, or of all of them. */
  of(key?: string): ReadonlyMap<string, number>
}

type Part = { readonly number: number; readonly counts: Map<string, Map<string, number>> }

/** Counts labels by key over the last while. */
export function createRecentCounts(clock: Pick<Clock, 'monotonic'>, windowMs: number): RecentCounts {
  let parts: Part[] = []
  const current = (): Part => {
    const number = Math.floor(clock.monotonic() / (windowMs / PARTS))
    parts = parts.filter((part) => part.number > number - PARTS)
    const newest = parts.at(-1)
    if (newest?.number === number) return newest
    const part: Part = { number, counts: new Map() }
    parts.push(part)
    return part
  }
  return {
    note: (key, label) => {
      const { counts } = current()
      const known = counts.get(key) ?? new Map<string, number>()
      if (counts.size >= MAX_KEYS && !counts.has(key)) return
      counts.set(key, known.set(label, (known.get(label) ?? 0) + 1))
    },
    of: (key) => {
      current()
      const sum = new Map<string, number>()
      for (const { counts } of parts)
        for (const [name, labels] of counts)
          if (key === undefined || name === key)
            for (const [label, number] of labels) sum.set(label, (sum.get(label) ?? 0) + number)
      return sum
    },
  }
}
