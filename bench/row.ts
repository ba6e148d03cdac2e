/** One measured figure. Read ratios, not absolutes: machines are noisy. */
export interface Row {
  readonly name: string
  /** NaN when only the unit says something. */
  readonly value: number
  readonly unit: string
  /** Compared with something else measured in the same run. */
  readonly ratio?: { readonly to: string; readonly value: number }
  /** The target, and whether this run reached it. */
  readonly goal?: {
    readonly must: string
    readonly firstClass?: string
    readonly reached: 'first class' | 'must' | 'missed'
  }
}

/** Which parts of a benchmark to run. */
export interface BenchSelection {
  includes(part: string): boolean
  /** How often to measure each thing; the median is reported. */
  readonly rounds: number
  /** Requests of one measurement beside other programs, instead of the usual number. */
  readonly requests?: number | undefined
  /** Requests over which the memory of the hub is watched, instead of its usual measurements. */
  readonly soak?: number | undefined
}

/** A file of `bench/rows` exports one of these as `bench`. */
export interface Bench {
  /** The name to give to `npm run bench -- <name>`. */
  readonly name: string
  readonly summary: string
  run(selection: BenchSelection): Promise<Row[]>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}
