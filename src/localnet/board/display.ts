import { createLogUpdate } from 'log-update'
import { narrateChange } from './narration.js'
import { renderBoard } from './scoreboard.js'
import type { Snapshot } from './snapshot.js'

/** Where a localnet shows what happens. */
export interface Display {
  /** A line that stays. */
  note(line: string): void
  /** What the start waits for; replaced by the next call. Undefined: only notes are shown. */
  readonly waiting?: (line: string) => void
  snapshot(now: Snapshot): void
  /** Ends with the last table. */
  end(last: Snapshot | undefined): void
}

const CLEAR_SCREEN = '\u001b[2J\u001b[H'

/** A live board on a terminal. It follows the size of the terminal, and uses colours unless NO_COLOR or a dumb terminal forbids. */
export function openLiveDisplay(terminal: NodeJS.WriteStream): Display {
  const live = createLogUpdate(terminal)
  let shown: string | Snapshot = ''
  const style = () => ({
    borders: true,
    colors: terminal.hasColors(),
    columns: terminal.columns,
  })
  const draw = () => {
    if (typeof shown === 'string') return live(shown.slice(0, terminal.columns - 1))
    const lines = renderBoard(shown, style()).split('\n')
    // one line below stays free for the cursor
    live([...lines.slice(0, terminal.rows - 2), 'Ctrl-C stops the subnet.'].join('\n'))
  }
  // a narrower terminal has wrapped the old picture
  const onResize = () => {
    terminal.write(CLEAR_SCREEN)
    draw()
  }
  terminal.on('resize', onResize)
  return {
    note: (line) => {
      live.clear()
      terminal.write(`${line}\n`)
    },
    waiting: (line) => {
      shown = line
      draw()
    },
    snapshot: (now) => {
      shown = now
      draw()
    },
    end: (last) => {
      terminal.removeListener('resize', onResize)
      live.clear()
      live.done()
      if (last) terminal.write(`${renderBoard(last, style())}\n`)
    },
  }
}

/** Plain lines for a pipe or a file, and the table at the end. */
export function openPlainDisplay(note: (line: string) => void, print: (text: string) => void): Display {
  let before: Snapshot | undefined
  return {
    note,
    snapshot: (now) => {
      for (const line of narrateChange(before, now)) note(line)
      before = now
    },
    end: (last) => {
      if (last) print(renderBoard(last, { borders: false, colors: false, columns: undefined }))
    },
  }
}
