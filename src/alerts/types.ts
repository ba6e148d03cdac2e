import { z } from 'zod'

/** `critical` costs money now: no weights, no rewards, no answers. `warning` will, or costs part of it. */
export const SEVERITIES = ['critical', 'warning'] as const

export type Severity = (typeof SEVERITIES)[number]

/** One thing that is wrong. */
export interface Finding {
  /** What it is about, when one condition can be wrong in several places: a model, a model server, a miner. */
  readonly subject?: string
  /** What is wrong and why, as one sentence. */
  readonly sentence: string
  /** What the operator can do, as one sentence. */
  readonly next?: string
}

/** Something the operator wants to be told of. */
export interface Condition {
  /** Stable and kebab-case; documented in docs/monitoring.md. */
  readonly id: string
  readonly severity: Severity
  /** How long a finding must last before it is told. */
  readonly forMs: number
  /** How long after a start it cannot tell yet whether something that was wrong before still is. */
  readonly settleMs?: number
  /** What is wrong now, empty when nothing is. One that throws leaves its alerts as they are. */
  readonly look: (signal: AbortSignal) => readonly Finding[] | Promise<readonly Finding[]>
}

/** An alert that is raised, as `GET /status` shows it. */
export const activeAlert = z.object({
  id: z.string(),
  severity: z.enum(SEVERITIES),
  subject: z.string().optional(),
  sentence: z.string(),
  next: z.string().optional(),
  /** When it was raised, ISO 8601 in UTC. */
  since: z.string(),
})

export type ActiveAlert = z.output<typeof activeAlert>

/** A change to tell: an alert was raised, still stands after a long time, or ended. */
export interface AlertChange {
  readonly kind: 'raised' | 'reminder' | 'resolved'
  readonly alert: ActiveAlert
  /** How long it has stood, in milliseconds. */
  readonly lastedMs: number
}

/** Equal for changes of the same alert. */
export function alertKey({ id, subject = '' }: Pick<ActiveAlert, 'id' | 'subject'>): string {
  return `${id} ${subject}`
}
