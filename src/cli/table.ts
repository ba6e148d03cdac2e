import { escapeControls } from '../kernel/index.js'

/**
 * Pads columns to their widest cell, two spaces apart, without rules. Control characters in cells are escaped, because peers
 * supply some of the text.
 *
 * @param right indexes of right-aligned columns.
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
