import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../kernel/index.js'
import type { StreamLimits } from './limits.js'
import type { StreamFault } from './types.js'

/** How long the end of the response may take after its last event. */
const DRAIN_MS = 1000

interface Deadline {
  readonly atMs: number
  readonly fault: StreamFault | undefined
}

/** The deadlines of one stream, watched by a single sleep that moves on as the stream does. */
export class StreamDeadlines {
  readonly #stopping = new AbortController()
  #sleeping = new AbortController()
  #wakeMs = Number.POSITIVE_INFINITY
  #writtenMs: number | undefined
  #lastTokenMs: number | undefined
  #drainStartMs: number | undefined

  /**
   * @param onDue called once with the fault of the deadline that passed; undefined when only the drain was cut short.
   * @param whenRead resolves when the bytes that have arrived are read.
   */
  constructor(
    private readonly clock: Clock,
    private readonly limits: StreamLimits,
    private readonly startMs: number,
    private readonly onDue: (fault: StreamFault | undefined) => void,
    private readonly whenRead: () => Promise<void>,
  ) {
    void this.#watch()
  }

  requestWritten(atMs: number): void {
    this.#writtenMs = atMs
    this.#rearm()
  }

  tokenRead(atMs: number): void {
    const isFirst = this.#lastTokenMs === undefined
    this.#lastTokenMs = atMs
    // Later tokens only postpone the deadline.
    if (isFirst) this.#rearm()
  }

  /** Only the end of the response is still to come. */
  lastEventRead(atMs: number): void {
    this.#drainStartMs = atMs
    this.#rearm()
  }

  get isDraining(): boolean {
    return this.#drainStartMs !== undefined
  }

  /** When the last event was read. */
  get drainStartMs(): number | undefined {
    return this.#drainStartMs
  }

  stop(): void {
    this.#stopping.abort()
    this.#sleeping.abort()
  }

  #next(): Deadline {
    const { limits } = this
    const timeout = (detail: string): StreamFault => ({ cause: 'TIMEOUT', detail, timed: 'deadline' })
    if (this.#drainStartMs !== undefined) return { atMs: this.#drainStartMs + DRAIN_MS, fault: undefined }
    if (this.#writtenMs === undefined) {
      const fault = timeout(`no connection within ${limits.connectMs} ms`)
      return { atMs: this.startMs + limits.connectMs, fault }
    }
    const capMs = this.#writtenMs + limits.totalMs
    const isWaiting = this.#lastTokenMs === undefined
    const tokenMs = (this.#lastTokenMs ?? this.#writtenMs) + (isWaiting ? limits.firstTokenMs : limits.gapMs)
    if (capMs <= tokenMs) return { atMs: capMs, fault: timeout(`not finished within ${limits.totalMs} ms`) }
    if (isWaiting) return { atMs: tokenMs, fault: timeout(`no token within ${limits.firstTokenMs} ms`) }
    const detail = `no token for ${limits.gapMs} ms`
    return { atMs: tokenMs, fault: { cause: 'BAD_STREAM', detail, timed: 'deadline' } }
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#sleeping = new AbortController()
      this.#wakeMs = this.#next().atMs
      const waitMs = this.#wakeMs - this.clock.monotonic()
      if (waitMs > 0) await this.clock.sleep(waitMs, this.#sleeping.signal).catch(() => {})
      // The timer may be late because this process was busy: bytes that have already arrived count first.
      await nextTurn()
      await this.whenRead()
      if (this.#stopping.signal.aborted) return
      const { atMs, fault } = this.#next()
      if (this.clock.monotonic() >= atMs) return this.onDue(fault)
    }
  }

  /** Wakes the watch when the next deadline is earlier than the one it sleeps towards. */
  #rearm(): void {
    if (this.#next().atMs < this.#wakeMs) this.#sleeping.abort()
  }
}
