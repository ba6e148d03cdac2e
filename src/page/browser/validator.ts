import { AlertList } from './alerts.js'
import { BlockTimes } from './block-times.js'
import { followLive } from './connection.js'
import { DataTable } from './data-table.js'
import { type EngineRow, type RoundRow, readDocument, type ValidatorDocument } from './documents.js'
import { byId, setText } from './elements.js'
import { type Figure, Figures } from './figures.js'
import { count, duration, fixed } from './formats.js'
import { MinerView } from './miner-view.js'
import { RoundsTable } from './rounds.js'
import { Board } from './validator-board.js'
import { WeightsTable } from './weights.js'

/** A head older than this is worth a look: finney has a block every 12 s. */
const OLD_HEAD_MS = 60_000

const filter = byId('filter')
if (!(filter instanceof HTMLInputElement)) throw new Error('the filter is not a field')
const figures = new Figures(byId('figures'))
const alerts = new AlertList()
const board = new Board(byId('board-table'), filter)
const rounds = new RoundsTable(byId('rounds-table'))
const weights = new WeightsTable(byId('weights-table'))
const engines = new DataTable<EngineRow>(byId('engines-table'), {
  caption: 'Reference engines of the wanted models',
  columns: [
    { name: 'model', text: ({ model }) => model },
    {
      ...{ name: 'state', text: ({ ready }) => (ready ? 'ready' : 'not ready') },
      tone: ({ ready }) => (ready ? undefined : 'bad'),
    },
    { name: 'why', text: ({ reason }) => reason ?? '' },
    { name: 'what to do', text: ({ next }) => next ?? '' },
  ],
  keyOf: ({ model }) => model,
  empty: 'No model is wanted.',
})
const miner = new MinerView()
const blockTimes = new BlockTimes()
let shown: ValidatorDocument | undefined

followLive(({ status, rounds: recent }) => {
  const document = readDocument<ValidatorDocument>(status)
  if (!document) return
  shown = document
  blockTimes.note(document.block, performance.now())
  setText(byId('title'), `Validator uid ${document.uid}`)
  setText(byId('identity'), document.hotkey)
  figures.update(figuresOf(document))
  alerts.update(document.alerts)
  board.update(document)
  setText(byId('miner-count'), `${document.miners.length} miners. Choose a hotkey to see its answers.`)
  weights.update(document)
  setText(byId('weights-when'), weightsText(document))
  engines.update(document.engines)
  const list = readDocument<{ readonly rounds: readonly RoundRow[] }>(recent)?.rounds
  rounds.update(list ?? [])
  miner.update(document)
}, byId('connection'))

// Ages grow without events.
setInterval(() => shown && figures.update(figuresOf(shown)), 1000)

function figuresOf(document: ValidatorDocument): readonly Figure[] {
  const { block, epoch, rounds: started, engines: all, chain, startedAt } = document
  const set = document.weights ?? document.lastSubmission
  const ready = all.filter((engine) => engine.ready).length
  return [
    { name: 'block', value: count(block) },
    { name: 'next weights in', value: blockTimes.describe(Math.max(0, epoch.nextBlock - block)) },
    { name: 'last weights', value: set ? `${block - set.block} blocks ago` : 'none yet' },
    { name: 'rounds', value: count(started) },
    {
      name: 'engines ready',
      value: `${ready} of ${all.length}`,
      tone: ready < all.length || all.length === 0 ? 'bad' : undefined,
    },
    ...(document.checking ? [checkingFigure(document.checking)] : []),
    ...(chain ? chainFigures(chain) : []),
    ...(startedAt ? [{ name: 'running for', value: duration(Date.now() - Date.parse(startedAt)) }] : []),
  ]
}

/** What a share below 1 saves, and what detection costs then. */
function checkingFigure({ share, trusted }: NonNullable<ValidatorDocument['checking']>): Figure {
  const later = fixed(1 / share, 1)
  const value = `${fixed(share * 100, 0)} % of answers where trusted (${count(trusted)}); finding a cheat takes ${later} times the answers`
  return { name: 'answers checked', value }
}

function chainFigures(chain: NonNullable<ValidatorDocument['chain']>): Figure[] {
  const { network, netuid, endpoint, headAt, reconnects = 0, clockOffsetMs = 0 } = chain
  const ageMs = headAt ? Date.now() - Date.parse(headAt) : undefined
  return [
    { name: 'chain', value: `${network}, subnet ${netuid}, ${endpoint ?? 'a private endpoint'}` },
    {
      name: 'last block',
      value: ageMs === undefined ? 'none yet' : `${duration(ageMs)} ago`,
      tone: ageMs === undefined || ageMs > OLD_HEAD_MS ? 'bad' : undefined,
    },
    { name: 'reconnections', value: count(reconnects) },
    {
      name: 'clock',
      value: clockOffsetMs === 0 ? 'agrees with the chain' : `${duration(Math.abs(clockOffsetMs))} off`,
      tone: clockOffsetMs === 0 ? undefined : 'bad',
    },
  ]
}

function weightsText({ weights: set, previousWeights: before }: ValidatorDocument): string {
  if (!set) return ''
  return before
    ? `Set at block ${set.block}; the ones before at block ${before.block}.`
    : `Set at block ${set.block}, the first since the validator started.`
}
