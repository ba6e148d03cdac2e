/** Cells of one line (RFC 4180). A text may come from a peer or a user, and a spreadsheet must not interpret it as a formula. */
export function writeCsvLine(cells: readonly (string | number | null | undefined)[]): string {
  return cells.map(writeCell).join(',')
}

function writeCell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = /^\s*[=+\-@＝＋－＠]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
