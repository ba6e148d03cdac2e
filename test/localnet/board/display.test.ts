import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { expect, it } from 'vitest'
import { openLiveDisplay } from '../../../src/localnet/board/index.js'
import { caught, snapshotOf, verified } from './subnet.js'

/** A terminal of this size that records what is written. */
function terminal(columns: number, rows: number, depth: 1 | 8) {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (data: Buffer) => {
    text += data.toString()
  })
  const asTerminal = Object.assign(stream, { isTTY: true, columns, rows, hasColors: () => depth > 1 })
  return {
    stream: asTerminal as unknown as WriteStream,
    resize: (to: object) => {
      Object.assign(stream, to)
      stream.emit('resize')
    },
    text: () => text,
    clear: () => {
      text = ''
    },
  }
}

const now = snapshotOf([verified, caught])
const GREEN = '\u001b[32m'

it('uses colours only on a terminal that wants them', () => {
  const [plain, colored] = [terminal(100, 30, 1), terminal(100, 30, 8)]
  openLiveDisplay(plain.stream).snapshot(now)
  openLiveDisplay(colored.stream).snapshot(now)
  expect(plain.text()).not.toContain(GREEN)
  expect(colored.text()).toContain(GREEN)
})

it('draws at most the rows of the terminal', () => {
  const { stream, text } = terminal(80, 10, 1)
  openLiveDisplay(stream).snapshot(now)
  expect(text().split('\n').length).toBeLessThanOrEqual(10)
  expect(text()).toContain('Ctrl-C stops the subnet.')
})

it('clears the screen and draws anew when the terminal changes its size', () => {
  const { stream, text, resize, clear } = terminal(140, 40, 1)
  openLiveDisplay(stream).snapshot(now)
  expect(text()).toContain('models')
  clear()
  resize({ columns: 80, rows: 24 })
  expect(text()).toContain('\u001b[2J')
  expect(text()).not.toContain('models')
})

it('shows what the start waits for, then notes and the last table', () => {
  const { stream, text } = terminal(80, 24, 1)
  const display = openLiveDisplay(stream)
  display.waiting?.('Waiting for chain (1 s)')
  display.note('chain ready')
  display.end(now)
  expect(text()).toMatch(/Waiting for chain \(1 s\)[\s\S]*chain ready\n[\s\S]*honest-fast/)
})
