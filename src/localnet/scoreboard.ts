import Table from 'cli-table3'
import type { MinerRow, Snapshot } from './snapshot.js'

const HEAD = ['uid', 'miner', 'models', 'verified', 'failed', 'last verdict', 'tok/s', 'score', 'weight']

/** How the board looks where it is shown. */
export interface BoardStyle {
  /** Box drawing and colours; off when piped or on a dumb terminal. */
  readonly fancy: boolean
}

/** The board as text: one header line, then a row per miner, best weight first once weights are set. */
export function renderBoard(snapshot: Snapshot, style: BoardStyle): string {
  const table = new Table({
    head: [...HEAD],
    colAligns: ['right', 'left', 'left', 'right', 'right', 'left', 'right', 'right', 'right'],
    style: style.fancy
      ? { head: ['cyan'], border: ['gray'], compact: true }
      : { head: [], border: [], compact: true },
    ...(style.fancy ? {} : { chars: BLANK_CHARS }),
  })
  const rows = [...snapshot.miners].sort((a, b) => b.weightU16 - a.weightU16 || a.uid - b.uid)
  for (const miner of rows) table.push(renderRow(miner))
  return `${renderHeader(snapshot)}\n${table.toString()}`
}

/** One line: where the chain is and what the validator did so far. */
export function renderHeader(snapshot: Snapshot): string {
  const next =
    snapshot.epochBlocksLeft === undefined
      ? 'validator starting'
      : `weights in ${snapshot.epochBlocksLeft} blocks`
  return `block ${snapshot.block} · ${next} · epochs done ${snapshot.epochs} · rounds ${snapshot.validator.rounds}`
}

function renderRow(miner: MinerRow): string[] {
  const failed = Object.values(miner.verdicts.failed).reduce((sum, count) => sum + count, 0)
  return [
    String(miner.uid),
    miner.name,
    miner.models.map(shortName).join(', '),
    String(miner.verdicts.verified),
    String(failed),
    renderLast(miner.last),
    miner.meanTokensPerSecond.toFixed(1),
    miner.score.toFixed(1),
    String(miner.weightU16),
  ]
}

export function renderLast(last: MinerRow['last']): string {
  if (last === null) return '–'
  return last.cause === undefined ? last.kind : `${last.kind}: ${last.cause}`
}

function shortName(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1)
}

const BLANK_CHARS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}
