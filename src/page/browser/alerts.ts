import { alertsOf } from './documents.js'
import { byId, element } from './elements.js'

/** Shows the conditions that need a person. The section stays away while the role reports none, or cannot. */
export class AlertList {
  readonly #section = byId('alerts')
  readonly #list = byId('alert-list')
  #shown = ''

  update(document: object): void {
    const alerts = alertsOf(document) ?? []
    const text = JSON.stringify(alerts)
    if (text === this.#shown) return
    this.#shown = text
    this.#section.hidden = alerts.length === 0
    this.#list.replaceChildren(
      ...alerts.map(({ id = 'alert', severity, sentence, since }) =>
        element(
          'li',
          { class: 'bad' },
          `${severity ? `${severity}: ` : ''}${sentence ?? id}${since ? ` Since ${since.slice(0, 19).replace('T', ' ')} UTC.` : ''}`,
        ),
      ),
    )
  }
}
