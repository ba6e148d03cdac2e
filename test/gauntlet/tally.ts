import type { TestContext } from 'vitest'
import { GAUNTLET_SEED } from './seed.js'

/** What a test of the gauntlet has done. The JSON report has it as `meta.gauntlet`, for scripts/gauntlet/table.ts. */
export interface Tally {
  /** As in docs/reliability.md, for example `F12`. */
  readonly fault: string
  /** What is done, in the plural. */
  readonly kind: string
  /** How often a full run does it. */
  readonly full: number
  /** How often it was done and held. */
  count: number
  /** Absent when nothing is chosen at random. */
  readonly seed?: number
}

declare module 'vitest' {
  interface TaskMeta {
    gauntlet?: Tally
  }
}

/** @param tally `isDrawn` when the test makes random choices from the seed of the run. @returns a tally to count with. */
export function startTally(
  task: TestContext['task'],
  { isDrawn = false, ...tally }: Omit<Tally, 'count' | 'seed'> & { readonly isDrawn?: boolean },
): Tally {
  const started: Tally = { ...tally, count: 0, ...(isDrawn ? { seed: GAUNTLET_SEED } : {}) }
  task.meta.gauntlet = started
  return started
}
