import { DataTable } from './data-table.js'
import type { ValidatorDocument } from './documents.js'
import { shortKey } from './formats.js'
import { changeText, type WeightRow, weightRows } from './weight-rows.js'

/** The last weights that were set, beside those before them. */
export class WeightsTable {
  readonly #table: DataTable<WeightRow>
  #shown: ValidatorDocument['weights'] | undefined

  constructor(host: HTMLElement) {
    this.#table = new DataTable(host, {
      caption: 'Last weights and the ones before',
      columns: [
        { name: 'uid', isNumber: true, text: ({ uid }) => String(uid), order: ({ uid }) => uid },
        { name: 'hotkey', text: ({ hotkey }) => shortKey(hotkey) || '–', title: ({ hotkey }) => hotkey },
        {
          ...{ name: 'before', isNumber: true, order: ({ before }) => before },
          text: ({ before }) => (before === undefined ? '–' : String(before)),
        },
        { name: 'weight', isNumber: true, text: ({ now }) => String(now), order: ({ now }) => now },
        {
          ...{ name: 'change', isNumber: true, text: changeText },
          order: ({ before, now }) => (before === undefined ? undefined : Math.abs(now - before)),
        },
      ],
      keyOf: ({ uid }) => String(uid),
      sort: { column: 'weight', isAscending: false },
      empty: 'This process has set no weights yet.',
    })
    this.#table.update([])
  }

  update({ weights, previousWeights, miners }: ValidatorDocument): void {
    if (!weights || weights === this.#shown) return
    this.#shown = weights
    const hotkeys = new Map(miners.map(({ uid, hotkey }) => [uid, hotkey]))
    this.#table.update(weightRows(weights, previousWeights, hotkeys))
  }
}
