import { escapeControls } from '../kernel/index.js'

/**
 * Columns padded to their widest cell, two spaces apart, no lines: readable for people, easy to cut for scripts. Cells are
 * escaped: what a peer wrote commands no terminal.
 *
 * @param right indexes of the columns that are aligned to the right.
 */
export function formatTable(cells: readonly (readonly string[])[], right: readonly number[] = []): string {
  const rows = cells.map((row) => row.map(escapeControls))
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0
          return right.includes(column) ? cell.padStart(width) : cell.padEnd(width)
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
