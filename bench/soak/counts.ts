/** How often what happened, by kind. */
export type Counts = Record<string, Record<string, number>>

export function addCount(counts: Counts, kind: string, what: string, times = 1): void {
  const known = counts[kind] ?? {}
  known[what] = (known[what] ?? 0) + times
  counts[kind] = known
}
