import type { Counts } from './counts.js'
import type { Judged } from './figures.js'
import type { Sample } from './sample.js'

/** How much of a soak to run. */
export interface SoakOptions {
  /** Share of the full counts. */
  readonly scale: number
  /** After so many minutes a part ends early. */
  readonly minutes: number
  /** Bytes that the process under test keeps of each request or answer. */
  readonly plant: number
}

/** What a soak of one process found. */
export interface PartResult {
  readonly part: string
  /** What was done, and how much of it was planned. */
  readonly unit: string
  /** What growth is measured against. */
  readonly work: string
  readonly done: number
  readonly planned: number
  readonly seconds: number
  readonly samples: readonly Sample[]
  readonly figures: readonly Judged[]
  /** How often what happened, by kind. */
  readonly counts: Counts
}

/** Samples over a run; enough for an interval after the warm-up. */
export const SAMPLES = 60
