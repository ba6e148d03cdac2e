/**
 * Spreads work over turns of the event loop, a few pieces in each, in the order of arrival: at once while the present turn has
 * room, otherwise in later ones. Many answers may arrive at once; without this, all of them would be processed in one turn, and
 * timers and sockets would wait for the last one.
 */
export class Turns {
  readonly #perTurn: number
  /** Pieces that went on in the present turn. */
  #used = 0
  #waiting: (() => void)[] = []
  #isScheduled = false

  /** @param perTurn pieces of work in one turn; their first steps should take a few milliseconds together */
  constructor(perTurn: number) {
    this.#perTurn = perTurn
  }

  /** Resolves in the first turn of the event loop that has room. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#serve()
    })
  }

  #serve(): void {
    const served = this.#waiting.splice(0, this.#perTurn - this.#used)
    this.#used += served.length
    for (const resolve of served) resolve()
    if (this.#used > 0 && !this.#isScheduled) this.#schedule()
  }

  #schedule(): void {
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#used = 0
      this.#serve()
    })
  }
}
