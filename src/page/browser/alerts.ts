import type { Alert } from './documents.js'
import { byId, element } from './elements.js'

/** Shows the conditions that need a person, and what to do. The section stays away while there are none. */
export class AlertList {
  readonly #section = byId('alerts')
  readonly #list = byId('alert-list')
  #shown = ''

  /** @param alerts undefined from a node that reports none. */
  update(alerts: readonly Alert[] = []): void {
    const text = JSON.stringify(alerts)
    if (text === this.#shown) return
    this.#shown = text
    this.#section.hidden = alerts.length === 0
    this.#list.replaceChildren(...alerts.map(describeAlert))
  }
}

function describeAlert({ severity, sentence, next, since }: Alert): HTMLElement {
  const head = element('span', { class: 'bad' }, `${severity}: ${sentence}`)
  return element('li', {}, head, ` ${next ?? ''} Since ${since.slice(0, 19).replace('T', ' ')} UTC.`)
}
