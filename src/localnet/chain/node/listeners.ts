/** The listeners of one kind of event. */
export class Listeners<T> {
  readonly #listeners = new Set<(event: T) => void>()

  /** @returns a function that removes the listener */
  add(listener: (event: T) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  notify(event: T): void {
    for (const listener of [...this.#listeners]) listener(event)
  }
}
