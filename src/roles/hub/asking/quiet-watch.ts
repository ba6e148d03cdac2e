import type { Clock } from '../../../kernel/index.js'

/** Watches one deadline that moves, with one sleep at a time. */
export class QuietWatch {
  #dueMs = Number.POSITIVE_INFINITY
  #wakeMs = Number.POSITIVE_INFINITY
  #what = ''
  #sleeping = new AbortController()
  #isStopped = false
  #isRunning = false

  /** @param onDue called once, with what was awaited. */
  constructor(
    private readonly clock: Clock,
    private readonly onDue: (what: string) => void,
  ) {}

  /** Replaces the deadline. */
  expect(what: string, withinMs: number): void {
    this.#what = what
    this.#dueMs = this.clock.monotonic() + withinMs
    if (!this.#isRunning) void this.#run()
    else if (this.#dueMs < this.#wakeMs) this.#sleeping.abort()
  }

  /** Nothing is awaited for now. */
  relax(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
  }

  stop(): void {
    this.#isStopped = true
    this.#sleeping.abort()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // A sleep is not cut short when the deadline moves on: it usually moves on many times a second.
    while (!this.#isStopped && this.#dueMs !== Number.POSITIVE_INFINITY) {
      const waitMs = this.#dueMs - this.clock.monotonic()
      if (waitMs <= 0) {
        this.#isStopped = true
        this.onDue(this.#what)
        break
      }
      this.#wakeMs = this.#dueMs
      this.#sleeping = new AbortController()
      await this.clock.sleep(waitMs, this.#sleeping.signal).catch(() => {})
    }
    this.#isRunning = false
  }
}
