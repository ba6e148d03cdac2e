import Table from 'cli-table3'
import type { MinerRow, Snapshot } from './snapshot.js'

const HEAD = ['uid', 'miner', 'models', 'verified', 'failed', 'last verdict', 'tok/s', 'score', 'weight']

export interface BoardStyle {
  /** Box drawing and colours. Off when piped or on a dumb terminal. */
  readonly fancy: boolean
}

/** The board as text: one header line, then a row per miner, highest weight first. */
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

/** One line: the chain's block and the validator's progress. */
function renderHeader(snapshot: Snapshot): string {
  const next =
    snapshot.epochBlocksLeft === undefined
      ? 'validator starting'
      : `next weights in ${snapshot.epochBlocksLeft} blocks`
  return `block ${snapshot.block} · ${next} · epochs done: ${snapshot.epochs} · rounds: ${snapshot.validator.rounds}`
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

function renderLast(last: MinerRow['last']): string {
  if (last === null) return '–'
  return last.cause === undefined ? last.kind : `${last.kind}: ${last.cause}`
}

function shortName(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1)
}

/** What changed between two snapshots, as plain log lines. */
export function narrateChange(before: Snapshot | undefined, now: Snapshot): string[] {
  const verdicts = now.miners.flatMap((miner) => {
    const earlier = before?.miners.find((other) => other.uid === miner.uid)
    return verdictCount(miner) > (earlier ? verdictCount(earlier) : 0) ? [narrateVerdict(now, miner)] : []
  })
  if (now.epochs === (before?.epochs ?? 0)) return verdicts
  const weights = now.miners.map((miner) => `${miner.name} ${miner.weightU16}`).join(', ')
  return [...verdicts, `block ${now.block}  epoch ${now.epochs} done, weights on chain: ${weights}`]
}

function narrateVerdict(now: Snapshot, miner: MinerRow): string {
  const speed =
    miner.last?.tokensPerSecond === undefined ? '' : ` at ${miner.last.tokensPerSecond.toFixed(1)} tok/s`
  return `block ${now.block}  uid ${miner.uid} ${miner.name}  ${renderLast(miner.last)}${speed}`
}

function verdictCount(miner: MinerRow): number {
  const { verified, inconclusive, failed } = miner.verdicts
  return Object.values(failed).reduce((sum, count) => sum + count, verified + inconclusive)
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
