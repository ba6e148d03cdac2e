import type { Clock } from '../kernel/index.js'

/** Time that work on miners' bytes may take in one turn of the event loop, for all streams of the thread together. */
const TURN_MS = 5

/** How much of the present turn of the event loop is used, and who waits for the next one. */
class Turn {
  #usedMs = 0
  #isScheduled = false
  #waiting: (() => void)[] = []

  get isUsedUp(): boolean {
    return this.#usedMs >= TURN_MS
  }

  add(ms: number): void {
    this.#usedMs += ms
    this.#schedule()
  }

  onNext(work: () => void): void {
    this.#waiting.push(work)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#usedMs = 0
      const waiting = this.#waiting
      this.#waiting = []
      while (waiting.length > 0 && !this.isUsedUp) waiting.shift()?.()
      // Whoever was not served comes before those who were and have more to do.
      this.#waiting = [...waiting, ...this.#waiting]
      if (this.#waiting.length > 0) this.#schedule()
    })
  }
}

/** One per thread, because a thread has one event loop. */
const turn = new Turn()

/**
 * Work of one stream, done in order: at once while the present turn of the event loop has time left, otherwise in later
 * turns, in which all streams take part. The bytes of one miner may be costly to read; that must not delay the moment at
 * which the bytes of another one are stamped.
 */
export class PacedWork {
  #pending: (() => boolean)[] = []
  #isRunning = false
  #isWaiting = false
  #waiters: (() => void)[] = []

  constructor(private readonly clock: Clock) {}

  /** @param step does a part of the work and returns true while more is left; must not throw */
  add(step: () => boolean): void {
    this.#pending.push(step)
    if (!this.#isWaiting && !this.#isRunning) this.#run()
  }

  /** Drops what is pending. */
  clear(): void {
    this.#pending = []
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** Resolves when what is pending now is done or dropped. */
  async whenDone(): Promise<void> {
    if (this.#pending.length === 0) return
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve)
      this.add(() => {
        resolve()
        return false
      })
    })
  }

  readonly #run = () => {
    this.#isWaiting = false
    this.#isRunning = true
    for (let step = this.#pending[0]; step; step = this.#pending[0]) {
      if (turn.isUsedUp) {
        this.#isWaiting = true
        turn.onNext(this.#run)
        break
      }
      const startMs = this.clock.monotonic()
      const isDone = !step()
      // The step may have cleared all.
      if (isDone && this.#pending[0] === step) this.#pending.shift()
      turn.add(this.clock.monotonic() - startMs)
    }
    this.#isRunning = false
  }
}
