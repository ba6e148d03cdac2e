import type { PreparedAnswer } from '../answer-comparison.js'
import type { Cause, Verdict } from '../verdict.js'

export type Failure = Extract<Verdict, { kind: 'failed' }>

/** One rule. Returns undefined when the answer passes. */
export type Check = (answer: PreparedAnswer) => Failure | undefined

export function failure(cause: Cause, detail: string): Failure {
  return { kind: 'failed', cause, detail }
}

/** At most four significant digits, for the detail of a verdict. */
export function formatNumber(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value)
}
