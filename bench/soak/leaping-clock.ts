import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../src/kernel/clock.js'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

const QUIET_LOOKS = 3
const LOOK_MS = 2
const LONGEST_WAIT_MS = 2000

/** A clock that stands still until it leaps; each sleep that is due by then ends once, however far the clock leaps. */
export class LeapingClock implements Clock {
  readonly #startMs: number
  #nowMs: number
  #sleepers = new Set<Sleeper>()
  #changes = 0

  constructor(startMs: number) {
    this.#startMs = startMs
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      this.#changes++
      const end = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', onAbort)
        this.#changes++
      }
      const onAbort = () => {
        end()
        reject(signal?.reason)
      }
      const wake = () => {
        end()
        resolve()
      }
      const sleeper = { dueMs: this.#nowMs + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  leap(ms: number): void {
    this.#nowMs += ms
    const due = [...this.#sleepers].filter(({ dueMs }) => dueMs <= this.#nowMs)
    for (const { wake } of due.sort((a, b) => a.dueMs - b.dueMs)) wake()
  }

  /** Waits in real time until nothing begins or ends a sleep: what reads or writes files then has no deadline running. */
  async quiet(): Promise<void> {
    let looks = 0
    for (let waitedMs = 0; looks < QUIET_LOOKS && waitedMs < LONGEST_WAIT_MS; waitedMs += LOOK_MS) {
      const before = this.#changes
      await sleep(LOOK_MS)
      looks = this.#changes === before ? looks + 1 : 0
    }
  }
}
