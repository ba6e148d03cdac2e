/** Lines of a status screen: a label, and what belongs to it. */
export type StatusLine = readonly [label: string, text: string]

/** How a screen of status is written. */
export interface StatusStyle {
  /** Wall-clock milliseconds. */
  readonly now: number
  /** Pads columns; indexes of right-aligned ones. */
  /** Lines of the screen; undefined where there is none. */
  readonly rows?: number | undefined
  /** Characters of a line there. */
  readonly columns?: number | undefined
  readonly formatTable: (cells: readonly (readonly string[])[], right?: readonly number[]) => string
}

const LABEL_WIDTH = 11

/** Around the rows of a table: an empty line, the head, the line of those left out, and two for the terminal. */
const TABLE_LINES = 5
const FEWEST_ROWS = 3
const ROWS_OF_A_PIPE = 10

/** Labels in one column; lines without text are left out. */
export function writeLines(lines: readonly StatusLine[]): string {
  return lines
    .filter(([, text]) => text !== '')
    .map(([label, text]) => label.padEnd(LABEL_WIDTH) + text)
    .join('\n')
}

/** Parts with text, with a dot between them. */
export function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' · ')
}

/** `5F3sa…94ty`: the beginning and the end, for tables on 80 columns. */
export function shortHotkey(hotkey: string): string {
  return hotkey.length > 10 ? `${hotkey.slice(0, 5)}…${hotkey.slice(-4)}` : hotkey
}

/** With thousands separated: 4,211,220. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A duration in its two largest units: `3 d 4 h`, `12 min 5 s`, `8 s`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = units.findIndex(([amount]) => amount > 0)
  if (first === -1) return '0 s'
  return units
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

/** How long ago an ISO time was; `never` without one. */
export function ago(time: string | null | undefined, now: number): string {
  return time === null || time === undefined ? 'never' : `${span(now - Date.parse(time))} ago`
}

/** Counts by name, most frequent first: `LOW_STAKE 8, REPLAYED 4`. */
export function countsByName(counts: Readonly<Record<string, number>>, most = 6): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const rest = sorted.length - most
  const shown = sorted.slice(0, most).map(([name, number]) => `${name} ${count(number)}`)
  return [...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

/** Rows of a table that fit below a text, some in any case. */
export function rowsBelow(text: string, { rows }: StatusStyle): number {
  const taken = text.split('\n').length + TABLE_LINES
  return rows === undefined ? ROWS_OF_A_PIPE : Math.max(FEWEST_ROWS, rows - taken)
}

/** Rows of a table and a line that says how many are missing. */
export function limitRows<T>(
  rows: readonly T[],
  most: number,
): { readonly shown: readonly T[]; readonly rest: string } {
  const rest = rows.length - most
  return { shown: rows.slice(0, most), rest: rest > 0 ? `… ${rest} more, see --json` : '' }
}

/** A table and the line of the rows left out, with lines cut that a terminal would wrap. */
export function writeTable(
  cells: readonly (readonly string[])[],
  right: readonly number[],
  rest: string,
  { formatTable, columns }: StatusStyle,
): string {
  const lines = formatTable(cells, right).split('\n')
  if (rest !== '') lines.push(rest)
  const cut = (line: string, length: number) =>
    line.length > length ? `${line.slice(0, Math.max(0, length - 1))}…` : line
  return (columns === undefined ? lines : lines.map((line) => cut(line, columns))).join('\n')
}

/** `stake 12 TAO · incentive 0.0123 · emission 0.450 per epoch`, or that the hotkey is not registered. */
export function describeStanding(
  standing:
    | {
        readonly stakeTao: number
        readonly incentive: number
        readonly emissionRao: number
        readonly validatorTrust: number
        readonly hasPermit: boolean
      }
    | null
    | undefined,
  neuron: 'miner' | 'validator' | 'hub',
): string {
  if (standing === undefined) return ''
  if (standing === null) return 'not registered on the subnet'
  const { stakeTao, incentive, emissionRao, validatorTrust, hasPermit } = standing
  return joined(
    neuron === 'miner' ? undefined : hasPermit ? 'permit' : 'no validator permit',
    `stake ${count(stakeTao)} TAO`,
    neuron === 'miner' ? `incentive ${incentive.toFixed(4)}` : `trust ${validatorTrust.toFixed(3)}`,
    `emission ${(emissionRao / 1e9).toFixed(3)} per epoch`,
  )
}
