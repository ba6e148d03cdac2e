import { readFileSync } from 'node:fs'
import { renderBoard, type Snapshot } from '../../src/localnet/index.js'

const CHARACTER_WIDTH = 7.85
const LINE_HEIGHT = 18
const MARGIN = 16
/** Fill colours by the terminal's colour codes. */
const FILLS: Readonly<Record<string, string>> = {
  31: '#f28b82',
  32: '#81c995',
  33: '#fdd663',
  36: '#78d9ec',
  90: '#5f6368',
}

/** docs/board.svg: what the program draws of the recorded run in board.json on a terminal of 140 columns. */
export function renderBoardPicture(): string {
  const snapshot: Snapshot = JSON.parse(readFileSync(new URL('board.json', import.meta.url), 'utf8'))
  const board = renderBoard(snapshot, { borders: true, colors: true, columns: 140 })
  const lines = ['$ npm start', ...board.split('\n'), 'Ctrl-C stops the subnet.']
  const width = Math.ceil(Math.max(...lines.map((line) => lengthOf(line))) + 2 * MARGIN)
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN
  const font = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Board of a local subnet">`,
    '<rect width="100%" height="100%" rx="8" fill="#202124"/>',
    `<g font-family="${font}" font-size="13" fill="#e8eaed">`,
    ...lines.map(renderLine),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

function renderLine(line: string, index: number): string {
  const y = MARGIN + LINE_HEIGHT * (index + 1) - 6
  return `<text x="${MARGIN}" y="${y}" xml:space="preserve" textLength="${lengthOf(line).toFixed(1)}" lengthAdjust="spacingAndGlyphs">${colored(line)}</text>`
}

function lengthOf(line: string): number {
  const shown = line.split('\u001b').map((part, index) => (index === 0 ? part : part.replace(/^\[\d+m/, '')))
  return shown.join('').length * CHARACTER_WIDTH
}

/** Each run between two colour codes, in a tspan when it is coloured. */
function colored(line: string): string {
  const [first = '', ...rest] = line.split('\u001b[')
  const runs = rest.map((part) => {
    const [code = '', text = ''] = part.split(/(?<=^\d+)m/)
    const fill = FILLS[code]
    return fill && text !== '' ? `<tspan fill="${fill}">${escaped(text)}</tspan>` : escaped(text)
  })
  return escaped(first) + runs.join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
