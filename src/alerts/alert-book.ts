import { type Clock, maskPasswords } from '../kernel/index.js'
import { type ActiveAlert, type AlertChange, alertKey, type Condition, type Finding } from './types.js'

/** How long a raised alert must be absent before it counts as resolved, so that one that comes and goes is told once. */
const CLEAR_AFTER_MS = 60_000

/** Findings of one condition that are told one by one; the names of models and miners come from others. */
const MAX_FINDINGS = 50
const MAX_TEXT = 500

interface Entry {
  readonly alert: ActiveAlert
  /** Monotonic time at which it was first seen. */
  readonly seenAt: number
  /** Monotonic time of the last message about it; undefined while it is not raised. */
  readonly toldAt: number | undefined
  readonly raisedAt: number
  /** Monotonic time since which it has been absent. */
  readonly absentAt: number | undefined
  /** It was raised before a restart, and has not been found since. */
  readonly isRestored?: boolean
}

/** Which alerts are raised: a finding must last before it is raised, and be absent for a while before it is resolved. */
export class AlertBook {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>
  readonly #repeatMs: number
  readonly #entries = new Map<string, Entry>()

  /** @param repeatMs after which a raised alert is told again; 0 for never. */
  constructor(clock: Pick<Clock, 'now' | 'monotonic'>, { repeatMs }: { readonly repeatMs: number }) {
    this.#clock = clock
    this.#repeatMs = repeatMs
  }

  /** Takes up the alerts that stood before a restart. */
  restore(alerts: readonly ActiveAlert[]): void {
    const now = this.#clock.monotonic()
    for (const alert of alerts) {
      const raisedAt = now - Math.max(0, this.#clock.now() - Date.parse(alert.since))
      this.#entries.set(alertKey(alert), {
        ...{ alert, seenAt: now, toldAt: now, raisedAt, absentAt: undefined, isRestored: true },
      })
    }
  }

  /** Takes what a condition finds now. @returns what has changed. */
  observe(condition: Omit<Condition, 'look'>, findings: readonly Finding[]): AlertChange[] {
    const changes: AlertChange[] = []
    const seen = new Set<string>()
    for (const finding of findings.slice(0, MAX_FINDINGS)) {
      const key = alertKey({ id: condition.id, subject: finding.subject })
      if (seen.has(key)) continue
      seen.add(key)
      const change = this.#found(key, condition, finding)
      if (change) changes.push(change)
    }
    for (const [key, entry] of this.#entries)
      if (entry.alert.id === condition.id && !seen.has(key)) {
        const change = this.#absent(key, entry, condition)
        if (change) changes.push(change)
      }
    return changes
  }

  /** The raised alerts: the most severe and then the oldest first. */
  active(): ActiveAlert[] {
    return [...this.#entries.values()]
      .filter(({ toldAt }) => toldAt !== undefined)
      .sort((a, b) => rank(a.alert) - rank(b.alert) || a.raisedAt - b.raisedAt)
      .map(({ alert }) => alert)
  }

  #found(
    key: string,
    condition: Pick<Condition, 'id' | 'severity' | 'forMs'>,
    finding: Finding,
  ): AlertChange | undefined {
    const now = this.#clock.monotonic()
    const known = this.#entries.get(key)
    const seenAt = known?.seenAt ?? now
    const isRaised = known?.toldAt !== undefined
    const isDue = isRaised
      ? this.#repeatMs > 0 && now - (known.toldAt ?? now) >= this.#repeatMs
      : now - seenAt >= condition.forMs
    const toldAt = isDue ? now : known?.toldAt
    const raisedAt = isRaised ? known.raisedAt : now
    const since = isRaised ? known.alert.since : new Date(this.#clock.now()).toISOString()
    const alert = describe(condition, finding, since)
    this.#entries.set(key, { alert, seenAt, toldAt, raisedAt, absentAt: undefined })
    if (!isDue) return undefined
    return { kind: isRaised ? 'reminder' : 'raised', alert, lastedMs: now - raisedAt }
  }

  #absent(
    key: string,
    entry: Entry,
    { forMs, settleMs = 0 }: Pick<Condition, 'forMs' | 'settleMs'>,
  ): AlertChange | undefined {
    const now = this.#clock.monotonic()
    const absentAt = entry.absentAt ?? now
    const clearMs = entry.isRestored ? Math.max(CLEAR_AFTER_MS, forMs, settleMs) : CLEAR_AFTER_MS
    if (entry.toldAt === undefined) this.#entries.delete(key)
    else if (now - absentAt < clearMs) this.#entries.set(key, { ...entry, absentAt })
    else {
      this.#entries.delete(key)
      return { kind: 'resolved', alert: entry.alert, lastedMs: absentAt - entry.raisedAt }
    }
    return undefined
  }
}

function describe(
  { id, severity }: Pick<Condition, 'id' | 'severity'>,
  { subject, sentence, next }: Finding,
  since: string,
): ActiveAlert {
  return {
    ...{ id, severity, sentence: bounded(sentence), since },
    ...(subject === undefined ? {} : { subject: bounded(subject) }),
    ...(next === undefined ? {} : { next: bounded(next) }),
  }
}

/** What leaves the machine names no password of an address, such as that of an engine in the reason of a failure. */
function bounded(text: string): string {
  const masked = maskPasswords(text)
  return masked.length <= MAX_TEXT ? masked : `${masked.slice(0, MAX_TEXT - 1)}…`
}

function rank({ severity }: ActiveAlert): number {
  return severity === 'critical' ? 0 : 1
}
