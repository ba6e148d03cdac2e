import { type ActiveAlert, type AlertChange, alertKey } from './types.js'

/** Alerts in one message. */
const BATCH = 20
const MAX_WAITING = 500

export interface Batch {
  readonly changes: readonly AlertChange[]
  /** Changes that found no room while messages could not be sent. */
  readonly omitted: number
}

/**
 * The changes that the receiver does not know yet, at most one per alert: the newest. An alert that ended before its message
 * was sent is not told at all, and one that came back before its end was told stays as the receiver has it.
 */
export class Outbox {
  readonly #waiting = new Map<string, AlertChange>()
  /** Alerts that the receiver believes raised. */
  readonly #told: Map<string, ActiveAlert>
  /** What was last sent of an alert, until it is known to have arrived: the receiver may have it. */
  readonly #sent = new Map<string, AlertChange['kind']>()
  #omitted = 0

  /** @param told alerts that the receiver believes raised since before a restart. */
  constructor(told: readonly ActiveAlert[] = []) {
    this.#told = new Map(told.map((alert) => [alertKey(alert), alert]))
  }

  /** The alerts that the receiver believes raised. */
  get told(): ActiveAlert[] {
    return [...this.#told.values()]
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#omitted === 0
  }

  add(change: AlertChange): void {
    const key = alertKey(change.alert)
    const isTold = this.#told.has(key)
    const sent = this.#sent.get(key)
    this.#waiting.delete(key)
    if (change.kind === 'resolved' && !isTold && sent === undefined) return
    if (change.kind === 'raised' && isTold && sent !== 'resolved') return
    if (this.#waiting.size >= MAX_WAITING) this.#omitted++
    else
      this.#waiting.set(key, change.kind === 'reminder' && !isTold ? { ...change, kind: 'raised' } : change)
  }

  /** The next message; the changes stay here until they are delivered or discarded. */
  next(): Batch {
    const changes = [...this.#waiting.values()].slice(0, BATCH)
    for (const { alert, kind } of changes) this.#sent.set(alertKey(alert), kind)
    return { changes, omitted: this.#omitted }
  }

  delivered(batch: Batch): void {
    for (const { alert, kind } of batch.changes) {
      const key = alertKey(alert)
      if (kind === 'resolved') this.#told.delete(key)
      else this.#told.set(key, alert)
    }
    this.#remove(batch)
  }

  /** The receiver refuses this message and would refuse it again. */
  discard(batch: Batch): void {
    this.#remove(batch)
  }

  /** A change that came while the message was on the way is compared with what the receiver knows now. */
  #remove({ changes, omitted }: Batch): void {
    this.#omitted -= omitted
    for (const change of changes) {
      const key = alertKey(change.alert)
      this.#sent.delete(key)
      const waiting = this.#waiting.get(key)
      if (waiting === change) this.#waiting.delete(key)
      else if (waiting) this.add(waiting)
    }
  }
}
