import { element, setAttribute, setText } from './elements.js'

export interface Figure {
  readonly name: string
  readonly value: string
  /** How it is to be read: colour stands beside words that say the same. */
  readonly tone?: 'bad' | 'good' | undefined
}

/** A list of names and values, updated in place. */
export class Figures {
  readonly #host: HTMLElement
  readonly #shown = new Map<string, HTMLElement>()

  /** @param host a `dl` */
  constructor(host: HTMLElement) {
    this.#host = host
  }

  update(figures: readonly Figure[]): void {
    for (const { name, value, tone } of figures) {
      const shown = this.#shown.get(name) ?? this.#add(name)
      setText(shown, value)
      setAttribute(shown, 'class', tone)
    }
  }

  #add(name: string): HTMLElement {
    const value = element('dd')
    this.#host.append(element('div', {}, element('dt', {}, name), value))
    this.#shown.set(name, value)
    return value
  }
}
