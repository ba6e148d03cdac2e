import { element, setAttribute, setText } from './elements.js'
import { rowsThatStay } from './row-order.js'

export interface Column<Row> {
  readonly name: string
  readonly text: (row: Row) => string
  /** Makes the column sortable. Undefined values come last. */
  readonly order?: (row: Row) => number | string | undefined
  readonly isNumber?: boolean
  /** The whole text where the cell shows a part. */
  readonly title?: (row: Row) => string | undefined
  readonly href?: (row: Row) => string
  readonly tone?: (row: Row) => 'bad' | 'good' | 'quiet' | undefined
}

export interface TableOptions<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** Column and direction at first; rows keep the order they come in when absent. */
  readonly sort?: { readonly column: string; readonly isAscending: boolean }
  /** Shown instead of rows. */
  readonly empty: string
}

interface ShownRow<Row> {
  row: Row
  readonly line: HTMLTableRowElement
  readonly cells: readonly HTMLElement[]
}

/** Work on rows within one frame; the rest continues in the next, so that the page answers to keys and fingers. */
const BUDGET_MS = 6

/** Rows at first, and more at each request: as many as a subnet of Bittensor has neurons. */
const ROWS = 256

/** A table that is updated in place: only cells that differ are written and only rows out of order are moved. */
export class DataTable<Row> {
  readonly #options: TableOptions<Row>
  readonly #body = element('tbody')
  readonly #heads = new Map<string, HTMLElement>()
  readonly #empty: HTMLElement
  readonly #more = element('button', { type: 'button', hidden: '' })
  readonly #shown = new Map<string, ShownRow<Row>>()
  #sort: { readonly column: string; readonly isAscending: boolean } | undefined
  #rows: readonly Row[] = []
  #limit = ROWS
  #isDrawing = false

  constructor(host: HTMLElement, options: TableOptions<Row>) {
    this.#options = options
    this.#sort = options.sort
    this.#empty = element('p', { class: 'quiet' }, options.empty)
    const heads = options.columns.map((column) => this.#head(column))
    const table = element(
      'table',
      {},
      element('caption', { class: 'hidden' }, options.caption),
      element('thead', {}, element('tr', {}, ...heads)),
      this.#body,
    )
    // A region that scrolls sideways must be reachable by keyboard.
    const region = element('div', {
      class: 'wide',
      role: 'region',
      'aria-label': `Table: ${options.caption}`,
      tabindex: '0',
    })
    region.append(table, this.#empty)
    this.#more.addEventListener('click', () => {
      this.#limit += ROWS
      this.update(this.#rows)
    })
    host.append(region, this.#more)
    this.#showSort()
  }

  update(rows: readonly Row[]): void {
    this.#rows = rows
    this.#empty.hidden = rows.length > 0
    this.#more.hidden = rows.length <= this.#limit
    setText(this.#more, `Show more: ${rows.length - this.#limit} are left`)
    if (this.#isDrawing) return
    this.#isDrawing = true
    this.#draw()
  }

  /** Draws for a moment, and goes on in the next frame when rows are left. */
  #draw(): void {
    const until = performance.now() + BUDGET_MS
    const wanted = this.#ordered().slice(0, this.#limit)
    let isDone = true
    for (const row of wanted) {
      if (performance.now() > until) {
        isDone = false
        break
      }
      this.#show(row)
    }
    if (!isDone) {
      requestAnimationFrame(() => this.#draw())
      return
    }
    this.#isDrawing = false
    this.#dropOthers(wanted)
    this.#arrange(wanted.map(this.#options.keyOf))
  }

  #show(row: Row): void {
    const { columns, keyOf } = this.#options
    const key = keyOf(row)
    const known = this.#shown.get(key)
    if (known?.row === row) return
    const shown = known ?? this.#add(key, row)
    shown.row = row
    columns.forEach((column, place) => {
      const cell = shown.cells[place]
      if (cell) writeCell(cell, column, row)
    })
  }

  #add(key: string, row: Row): ShownRow<Row> {
    const cells = this.#options.columns.map(({ isNumber, href }, place) => {
      const cell =
        place === 0
          ? element('th', { scope: 'row', ...(isNumber && { class: 'n' }) })
          : element('td', isNumber ? { class: 'n' } : {})
      cell.append(element(href ? 'a' : 'span'))
      return cell
    })
    const shown = { row, line: element('tr', {}, ...cells), cells }
    this.#shown.set(key, shown)
    this.#body.append(shown.line)
    return shown
  }

  #dropOthers(wanted: readonly Row[]): void {
    const keys = new Set(wanted.map(this.#options.keyOf))
    for (const [key, { line }] of this.#shown) {
      if (keys.has(key)) continue
      line.remove()
      this.#shown.delete(key)
    }
  }

  #arrange(wanted: readonly string[]): void {
    const keys = new Map([...this.#shown].map(([key, { line }]) => [line, key]))
    const current = [...this.#body.rows].map((line) => keys.get(line) ?? '')
    if (current.every((key, place) => key === wanted[place])) return
    const staying = rowsThatStay(current, wanted)
    let after: Element | null = null
    for (const key of wanted.toReversed()) {
      const line = this.#shown.get(key)?.line
      if (!line) continue
      if (!staying.has(key)) this.#body.insertBefore(line, after)
      after = line
    }
  }

  #ordered(): readonly Row[] {
    const sort = this.#sort
    const order = this.#options.columns.find(({ name }) => name === sort?.column)?.order
    if (!sort || !order) return this.#rows
    const sign = sort.isAscending ? 1 : -1
    return this.#rows
      .map((row) => ({ row, by: order(row) }))
      .sort((a, b) => compare(a.by, b.by, sign))
      .map(({ row }) => row)
  }

  #head(column: Column<Row>): HTMLElement {
    const { name, order, isNumber } = column
    const head = element('th', { scope: 'col', ...(isNumber && { class: 'n' }) })
    this.#heads.set(name, head)
    if (!order) {
      head.append(name)
      return head
    }
    const button = element('button', { type: 'button' }, name)
    button.addEventListener('click', () => {
      const isSame = this.#sort?.column === name
      this.#sort = { column: name, isAscending: isSame ? !this.#sort?.isAscending : !isNumber }
      this.#showSort()
      this.update(this.#rows)
    })
    head.append(button)
    return head
  }

  #showSort(): void {
    for (const [name, head] of this.#heads) {
      const isSorted = this.#sort?.column === name
      setAttribute(
        head,
        'aria-sort',
        isSorted ? (this.#sort?.isAscending ? 'ascending' : 'descending') : undefined,
      )
    }
  }
}

function writeCell<Row>(cell: HTMLElement, column: Column<Row>, row: Row): void {
  const inner = cell.firstElementChild
  if (!inner) return
  setText(inner, column.text(row))
  setAttribute(inner, 'title', column.title?.(row))
  setAttribute(inner, 'class', column.tone?.(row))
  if (column.href) setAttribute(inner, 'href', column.href(row))
}

function compare(a: number | string | undefined, b: number | string | undefined, sign: number): number {
  if (a === b) return 0
  if (a === undefined) return 1
  if (b === undefined) return -1
  return (a < b ? -1 : 1) * sign
}
