/** One measured figure. Read ratios, not absolutes: machines are noisy. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The same measured in this very run on the thing compared with. */
  readonly ratio?: { readonly to: string; readonly value: number }
  /** What was set out to reach, and whether it was. */
  readonly goal?: {
    readonly must: string
    readonly firstClass?: string
    readonly reached: 'first class' | 'must' | 'missed'
  }
}

/** What of a benchmark is wanted. */
export interface BenchOrder {
  includes(part: string): boolean
  /** How often each thing is measured; the median counts. */
  readonly rounds: number
}

/** A file of `bench/rows` exports one of these as `bench`. */
export interface Bench {
  /** What `npm run bench -- <name>` selects. */
  readonly name: string
  readonly summary: string
  run(order: BenchOrder): Promise<Row[]>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}
