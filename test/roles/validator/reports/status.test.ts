import { expect, it } from 'vitest'
import { createTopic } from '../../../../src/roles/role.js'
import type { ConfirmedWeights } from '../../../../src/roles/validator/epochs/weights-job.js'
import { trackStatus, validatorStatus } from '../../../../src/roles/validator/reports/status.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/index.js'
import { createVerdictCounts } from '../../../../src/roles/validator/scores/verdict-counts.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import type { Verdict } from '../../../../src/verification/index.js'
import { createFakeSubtensor } from '../../../support/fake-subtensor.js'
import { servingMiner, viewOf } from '../rounds/round-parts.js'
import { createRigContext, defaultSettings, MODEL } from '../validator-rig.js'

function setup() {
  const [first, silent] = [servingMiner(1), servingMiner(2)]
  const view = viewOf([first, silent], [MODEL], [silent])
  const book = new ScoreBook()
  const verdicts = createVerdictCounts()
  const weights = createTopic<ConfirmedWeights>()
  const roundJudged = createTopic<readonly RoundResult[]>()
  const rounds = { started: 7 }
  const context = createRigContext({
    view,
    subtensor: createFakeSubtensor([]),
    settings: defaultSettings({ 'epoch-length': 30 }),
  })
  return {
    view,
    book,
    verdicts,
    weights,
    roundJudged,
    status: trackStatus(context, {
      ...{ book, verdicts, rounds },
      epochs: { nextWeights: () => ({ block: 150, reason: 'too fast' }) },
      ledger: { lastConfirmed: { epoch: 3, block: 91 } },
      health: { unreadyReason: () => 'no new block for 130 s' },
      events: { weights, roundJudged },
    }),
  }
}

function resultOf(verdict: Verdict, at: number): RoundResult {
  const miner = servingMiner(1)
  return {
    ...{ round: 3, block: 121, at, miner, verdict, stallMs: 0 },
    request: { model: MODEL },
    answer: {},
  } as RoundResult
}

it('describes block, epoch, miners and their verdicts', () => {
  const { view, book, verdicts, status } = setup()
  view.noteBlock(121)
  book.record('5Miner1', MODEL, 40, 100)
  book.record('5Miner1', MODEL, 60, 101)
  book.record('5Miner1', MODEL, null, 102)
  verdicts.record('5Miner1', { kind: 'verified' }, MODEL, 60)
  verdicts.record('5Miner1', { kind: 'failed', cause: 'OVERFIT', detail: 'position 7' }, MODEL, 0)
  const current = validatorStatus.parse(status.current())
  expect(current).toMatchObject({
    ...{
      role: 'validator',
      uid: 0,
      hotkey: '5Validator',
      block: 121,
      models: [MODEL],
      engines: [{ model: MODEL, ready: true }],
      rounds: 7,
      weights: null,
    },
    epoch: { index: 4, dueBlock: 120, nextBlock: 150 },
    lastSubmission: { epoch: 3, block: 91 },
  })
  expect(current).toMatchObject({
    history: expect.any(Boolean),
    startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    chain: { network: 'finney', endpoint: 'ws://fake', netuid: 4 },
  })
  expect(current.miners[0]).toMatchObject({
    ...{ uid: 1, hotkey: '5Miner1', models: [MODEL], meanTokensPerSecond: 50 },
    verdicts: { verified: 1, inconclusive: 0, failed: { OVERFIT: 1 } },
    last: { kind: 'failed', cause: 'OVERFIT', detail: 'position 7', model: MODEL },
  })
})

it('tells what is missing, its standing, the last round, and when weights are set next', () => {
  const { roundJudged, status } = setup()
  expect(validatorStatus.parse(status.current())).toMatchObject({
    unready: 'no new block for 130 s',
    standing: { hasPermit: expect.any(Boolean), stakeTao: expect.any(Number) },
    lastRound: null,
    nextWeights: { block: 150, reason: 'too fast' },
  })
  roundJudged.publish([
    resultOf({ kind: 'verified' }, 5),
    resultOf({ kind: 'failed', cause: 'OVERFIT', detail: '' }, 9),
  ])
  roundJudged.publish([])
  expect(validatorStatus.parse(status.current()).lastRound).toEqual({
    ...{ round: 3, model: MODEL, judgedAt: '1970-01-01T00:00:00.009Z' },
    ...{ verified: 1, failed: 1, inconclusive: 0 },
  })
})

it('scores a miner that has not yet answered for its models by its old ones', () => {
  const { book, status } = setup()
  for (let result = 0; result < 15; result++) book.record('5Miner2', MODEL, 50, 100)
  const [, silent] = status.current().miners
  expect(silent).toMatchObject({ uid: 2, models: [], last: null, meanTokensPerSecond: 50 })
  expect(silent?.score).toBeGreaterThan(0)
})

it('reports the last weights and how often weights were set', () => {
  const { verdicts, weights, status } = setup()
  for (const block of [121, 151])
    weights.publish({ block, path: 'direct', entries: [{ uid: 1, weightU16: 65_535 }] })
  verdicts.record('5Left', { kind: 'inconclusive', reason: 'aborted', detail: '' }, MODEL, 0)
  verdicts.keepOnly(new Set())
  expect(status.current().weights).toEqual({ block: 151, entries: [{ uid: 1, weightU16: 65_535 }] })
  expect(status.report()).toEqual({
    ...{ uid: 0, hotkey: '5Validator', rounds: 7, weightsSet: 2 },
    verdicts: { verified: 0, failed: 0, inconclusive: 1 },
  })
})

it.each(['wss://user:secret@host', 'wss://host/?key=secret'])(
  'does not show the credentials in %s',
  (endpoint) => {
    const subtensor = { ...createFakeSubtensor([]), endpoint }
    const { chain } = trackStatus(createRigContext({ view: viewOf([]), subtensor }), {
      ...{ book: new ScoreBook(), verdicts: createVerdictCounts(), rounds: { started: 0 } },
      events: { weights: createTopic<ConfirmedWeights>() },
    }).current()
    expect(chain?.endpoint).toBeNull()
  },
)
