/** Listeners of one kind of event; each gets a function to leave again. */
export class Listeners<T> {
  readonly #listeners = new Set<(event: T) => void>()

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
