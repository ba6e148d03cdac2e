import type { JudgedAnswer } from '../evidence.js'
import type { Cause, Verdict } from '../verdict.js'

export type Failure = Extract<Verdict, { kind: 'failed' }>

/** A rule over the prepared answer; undefined when it has no objection. */
export type Check = (answer: JudgedAnswer) => Failure | undefined

export function failure(cause: Cause, detail: string): Failure {
  return { kind: 'failed', cause, detail }
}

/** Short number for a detail text. */
export function shown(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value)
}
