import { styleText } from 'node:util'
import Table from 'cli-table3'
import type { MinerRow, Snapshot } from './snapshot.js'

export interface BoardStyle {
  /** Box drawing. Off when piped. */
  readonly borders: boolean
  readonly colors: boolean
  /** Width of the terminal; undefined when piped. No line is longer. */
  readonly columns: number | undefined
}

type Color = 'green' | 'red' | 'yellow' | 'cyan' | 'gray'
type Paint = (color: Color, text: string) => string

interface Column {
  readonly head: string
  readonly align: 'left' | 'right'
  readonly cell: (miner: MinerRow, paint: Paint) => string
}

const LAST_LENGTH = 27
const CAUSE_LENGTH = 19
const MODELS_LENGTH = 16
const EVIDENCE_LENGTH = 'suspected'.length
const EVIDENCE_COLOR = { clean: 'gray', suspected: 'yellow', barred: 'red' } as const

const left = (head: string, cell: Column['cell']): Column => ({ head, align: 'left', cell })
const right = (head: string, cell: (miner: MinerRow) => string): Column => ({ head, align: 'right', cell })

const UID = right('uid', ({ uid }) => String(uid))
const MINER = left('miner', ({ name }) => name)
const MODELS = left('models', ({ models }) => sized(models.map(shortName).join(', '), MODELS_LENGTH))
const VERIFIED = right('verified', ({ verdicts }) => String(verdicts.verified))
const FAILED = right('failed', ({ verdicts }) => String(sum(verdicts.failed)))
const LAST = left('last verdict', ({ last }, paint) =>
  paint(colorOf(last), sized(renderLast(last), LAST_LENGTH)),
)
const EVIDENCE = left('evidence', ({ evidence }, paint) =>
  paint(EVIDENCE_COLOR[evidence], sized(evidence, EVIDENCE_LENGTH)),
)
/** What an accusation says counts more than the last verdict. */
const MARKED = left('last verdict', (miner, paint) =>
  markOf(miner, paint, renderLast(miner.last), LAST_LENGTH),
)
const CAUSE = left('last verdict', (miner, paint) =>
  markOf(miner, paint, miner.last?.cause ?? miner.last?.kind ?? '–', CAUSE_LENGTH),
)
const SPEED = right('tok/s', ({ meanTokensPerSecond }) => meanTokensPerSecond.toFixed(1))
const SCORE = right('score', ({ score }) => score.toFixed(1))
const WEIGHT = right('weight', ({ weightU16 }) => String(weightU16))

/** Widest first; for terminals of 133, 121, 94, 78 and 59 columns. */
const LAYOUTS: readonly (readonly Column[])[] = [
  [UID, MINER, MODELS, VERIFIED, FAILED, LAST, EVIDENCE, SPEED, SCORE, WEIGHT],
  [UID, MINER, MODELS, VERIFIED, FAILED, MARKED, SPEED, SCORE, WEIGHT],
  [UID, MINER, VERIFIED, FAILED, CAUSE, SPEED, SCORE, WEIGHT],
  [UID, MINER, VERIFIED, FAILED, CAUSE, WEIGHT],
  [UID, MINER, CAUSE, WEIGHT],
]

/** The board as text: one header line, then a row per miner, highest weight first, in the columns that fit. */
export function renderBoard(snapshot: Snapshot, style: BoardStyle): string {
  const { columns = Number.POSITIVE_INFINITY } = style
  const plain = { ...style, colors: false }
  const fits = (layout: readonly Column[]) => widthOf(renderTable(snapshot, layout, plain)) <= columns
  const layout = LAYOUTS.find(fits)
  const header = [renderHeader(snapshot), ...renderUsers(snapshot)]
    .map((line) => line.slice(0, columns))
    .join('\n')
  if (layout) return `${header}\n${renderTable(snapshot, layout, style)}`
  const cut = renderTable(snapshot, [MINER, WEIGHT], { ...plain, borders: false }).split('\n')
  return [header, ...cut.map((line) => line.slice(0, columns))].join('\n')
}

function renderTable(snapshot: Snapshot, layout: readonly Column[], style: BoardStyle): string {
  const paint: Paint = (color, text) =>
    style.colors ? styleText(color, text, { validateStream: false }) : text
  const table = new Table({
    head: layout.map(({ head }) => paint('cyan', head)),
    colAligns: layout.map(({ align }) => align),
    style: { head: [], border: [], compact: true },
    ...(style.borders ? {} : { chars: BLANK_CHARS }),
  })
  const rows = [...snapshot.miners].sort((a, b) => b.weightU16 - a.weightU16 || a.uid - b.uid)
  for (const miner of rows) table.push(layout.map(({ cell }) => cell(miner, paint)))
  return table.toString().replaceAll(/[─-╿]+/g, (rule) => paint('gray', rule))
}

function widthOf(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length))
}

/** One line: the chain's block and the validator's progress. */
function renderHeader(snapshot: Snapshot): string {
  const next =
    snapshot.epochBlocksLeft === undefined
      ? 'validator starting'
      : `next weights in ${snapshot.epochBlocksLeft} blocks`
  return `block ${snapshot.block} · ${next} · epochs done: ${snapshot.epochs} · rounds: ${snapshot.validator.rounds}`
}

/** A line about the hub, if there is one: how users fare, who answers them, what waits for the validator. */
export function renderUsers({ hub, miners }: Snapshot): string[] {
  if (!hub) return []
  const by = miners
    .map(({ uid, name }) => ({ name, count: hub.byMiner[uid] ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ name, count }) => `${name} ${count}`)
  const answers = `users: ${hub.answered} answered, ${hub.failed} failed · kept for the validator: ${hub.kept}`
  return [by.length === 0 ? answers : `${answers} · ${by.join(', ')}`]
}

export function renderLast(last: MinerRow['last']): string {
  if (last === null) return '–'
  return last.cause === undefined ? last.kind : `${last.kind}: ${last.cause}`
}

/** The last verdict, or in its place what accuses the miner. */
function markOf({ last, evidence }: MinerRow, paint: Paint, verdict: string, length: number): string {
  if (evidence === 'clean') return paint(colorOf(last), sized(verdict, length))
  return paint(EVIDENCE_COLOR[evidence], sized(`evidence: ${evidence}`, length))
}

function colorOf(last: MinerRow['last']): Color {
  if (last === null) return 'gray'
  return ({ verified: 'green', failed: 'red', inconclusive: 'yellow' } as const)[last.kind]
}

/** Exactly this long, so that columns keep their width from one picture to the next. */
function sized(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text.padEnd(length)
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
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
