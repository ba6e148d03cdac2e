import { DataTable } from './data-table.js'
import type { RoundRow } from './documents.js'
import { clockTime, fixed, median } from './formats.js'
import { namesOf } from './round-text.js'

const SHOWN = 15

function speedOf({ outcomes }: RoundRow): number | undefined {
  return median(
    outcomes.filter(({ kind }) => kind === 'verified').map(({ tokensPerSecond }) => tokensPerSecond),
  )
}

const countOf = ({ outcomes }: RoundRow, kind: string) => outcomes.filter((one) => one.kind === kind).length

/** The newest rounds, which fill with verdicts as answers arrive. */
export class RoundsTable {
  readonly #table: DataTable<RoundRow>

  constructor(host: HTMLElement) {
    this.#table = new DataTable(host, {
      caption: 'Last rounds, newest first',
      columns: [
        { name: 'round', isNumber: true, text: ({ round }) => String(round), order: ({ round }) => round },
        { name: 'UTC', text: ({ at }) => clockTime(at), title: ({ at }) => at },
        { name: 'block', isNumber: true, text: ({ block }) => String(block) },
        { name: 'model', text: ({ model }) => model },
        { name: 'endpoint', text: ({ endpoint }) => endpoint },
        { name: 'verified', isNumber: true, text: (row) => String(countOf(row, 'verified')) },
        { name: 'median tokens/s', isNumber: true, text: (row) => fixed(speedOf(row), 1) },
        {
          ...{ name: 'failed', text: ({ outcomes }) => namesOf(outcomes, 'failed') || '–' },
          tone: (row) => (countOf(row, 'failed') > 0 ? 'bad' : undefined),
        },
        { name: 'no verdict', text: ({ outcomes }) => namesOf(outcomes, 'inconclusive') || '–' },
      ],
      keyOf: ({ round }) => String(round),
      sort: { column: 'round', isAscending: false },
      empty: 'No round has a verdict yet.',
    })
  }

  update(rounds: readonly RoundRow[]): void {
    this.#table.update([...rounds].sort((a, b) => b.round - a.round).slice(0, SHOWN))
  }
}
