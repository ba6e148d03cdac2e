/**
 * Spreads work over later turns of the event loop, a few pieces in each, in the order of arrival. Many answers may arrive at
 * once; without this, all of them would be processed in one turn, and timers and sockets would wait for the last one.
 */
export class Turns {
  readonly #perTurn: number
  #waiting: (() => void)[] = []
  #isScheduled = false

  /** @param perTurn pieces of work in one turn; their first steps should take a few milliseconds together */
  constructor(perTurn: number) {
    this.#perTurn = perTurn
  }

  /** Resolves in the first later turn of the event loop that has room. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      for (const resolve of this.#waiting.splice(0, this.#perTurn)) resolve()
      this.#schedule()
    })
  }
}
