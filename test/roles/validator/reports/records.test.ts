import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  DEFAULT_FLOORS,
  EvidenceBook,
  honestBands,
  type Observation,
} from '../../../../src/evidence/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import type { ConfirmedWeights } from '../../../../src/roles/validator/epochs/weights-job.js'
import type { EvidenceRow } from '../../../../src/roles/validator/evidence/index.js'
import {
  historyFile,
  openRecords,
  validatorLockPath,
} from '../../../../src/roles/validator/reports/records.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/round.js'
import type { NotServing } from '../../../../src/roles/validator/rounds/round-loop.js'
import type { Settled } from '../../../../src/roles/validator/scores/index.js'
import { createFakeSubtensor } from '../../../support/fake-subtensor.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { answerOf, completionRequest, servingMiner, viewOf } from '../rounds/round-parts.js'
import { createRigContext, defaultSettings, MODEL } from '../validator-rig.js'

let stateDir: string
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'targon-records-'))
})
afterEach(() => rm(stateDir, { recursive: true, force: true }))

async function setup(history: boolean) {
  const result = createTopic<RoundResult>()
  const missed = createTopic<NotServing>()
  const settled = createTopic<Settled>()
  const weights = createTopic<ConfirmedWeights>()
  const evidence = createTopic<EvidenceRow>()
  const stop = new AbortController()
  const context = createRigContext({
    signal: stop.signal,
    ...{ stateDir, signer: await hotkeyOf(200), view: viewOf([]), subtensor: createFakeSubtensor([]) },
    settings: defaultSettings({ history }),
  })
  const records = openRecords(context, { result, missed, settled, weights, evidence })
  const close = () => {
    stop.abort()
    return records.close()
  }
  return { result, missed, settled, weights, evidence, records, close }
}

it('leaves a verified answer without a speed out of window and speeds, but counts it', async () => {
  const { result, records, close } = await setup(true)
  const common = { round: 1, block: 100, miner: servingMiner(1), request: completionRequest(), stallMs: 0 }
  const answer = answerOf({ tokensPerSecond: 40 })
  result.publish({ ...common, at: Date.now(), answer, verdict: { kind: 'verified' } })
  result.publish({ ...common, at: Date.now(), answer, verdict: { kind: 'verified', hasNoSpeed: true } })
  const models = async () => (await records.report({ miner: '1', hours: '1' })).miners[0]?.models ?? []
  await expect.poll(async () => (await models().catch(() => []))[0]?.verdicts.verified).toBe(2)
  expect((await models())[0]).toMatchObject({ window: [40], tokensPerSecond: { p5: 40, p50: 40, p95: 40 } })
  await close()
})

it('records results and misses of rounds for reports', async () => {
  const { result, missed, weights, records, close } = await setup(true)
  const common = { round: 1, block: 100, miner: servingMiner(1) }
  const request = { ...completionRequest(), seed: 5 }
  const detail = `position 7\u0000${'x'.repeat(1000)}`
  result.publish({
    ...{ ...common, at: Date.now(), request, answer: answerOf(), stallMs: 0 },
    verdict: { kind: 'failed', cause: 'OVERFIT', detail },
  })
  missed.publish({ ...common, model: MODEL, endpoint: 'completion' })
  weights.publish({ block: 121, path: 'direct', entries: [{ uid: 1, weightU16: 65_535 }] })
  const models = async () => (await records.report({ miner: '1', hours: '1' })).miners[0]?.models ?? []
  await expect.poll(async () => (await models().catch(() => [])).length).toBe(1)
  const [model] = await models()
  expect(model).toMatchObject({ model: MODEL, notServing: 1, verdicts: { failed: { OVERFIT: 1 } } })
  expect(model?.lastFailures[0]?.detail).toMatch(/^position 7x+$/)
  expect(model?.lastFailures[0]?.detail).toHaveLength(500)
  expect((await records.report({ miner: '2' })).miners).toEqual([])
  await close()
})

it('shows the rounds a miner sat out, and unchecked answers, with what they counted for', async () => {
  const { result, settled, records, close } = await setup(true)
  const common = { round: 1, block: 100, at: Date.now(), miner: servingMiner(1), stallMs: 0 }
  const request = completionRequest()
  const verified = { ...common, request, answer: answerOf(), verdict: { kind: 'verified' } as const }
  const detail = { cause: 'UNLIKELY_TOKENS', detail: '' } as const
  const failed = { ...verified, at: common.at + 1, verdict: { kind: 'failed', ...detail } as const }
  settled.publish({ why: 'sat-out', result: verified, added: [50, 50] })
  result.publish(verified)
  settled.publish({ why: 'sat-out', result: failed, added: [null] })
  settled.publish({ why: 'unchecked', result: failed, added: [null, null] })
  result.publish(failed)
  const models = async () => (await records.report({ miner: '1', hours: '1' })).miners[0]?.models ?? []
  await expect.poll(async () => (await models().catch(() => []))[0]?.window.length).toBe(7)
  const [model] = await models()
  expect(model).toMatchObject({
    window: [50, 50, 50, null, null, null, null],
    ...{ satOut: 3, unchecked: 2, notServing: 0 },
  })
  expect(model?.verdicts).toEqual({ verified: 1, inconclusive: 0, failed: { UNLIKELY_TOKENS: 1 } })
  await close()
})

it('records what the evidence said of a miner, with the wealth of an alarm', async () => {
  const { result, evidence, records, close } = await setup(true)
  const miner = servingMiner(1)
  const answered = { at: Date.now(), round: 1, block: 100, miner, request: completionRequest(), stallMs: 0 }
  result.publish({ ...answered, answer: answerOf(), verdict: { kind: 'verified' } })
  const book = new EvidenceBook({ threshold: 1e4, cleanAnswers: 10 })
  const bad: Observation = {
    ...{ tokens: 100, synchrony: 'inapplicable' },
    statistics: {
      residual: { tokens: 80, suspicion: [4, 4, 4], enforced: [4, 4, 4], sums: [8, 1.6] },
    },
  }
  const common = { hotkey: miner.hotkey, model: MODEL, threshold: 4, isEnforced: true }
  for (let answers = 1, isBarred = false; !isBarred; answers++) {
    const at = Date.now() - 1000 + answers
    isBarred = book.record(miner.hotkey, MODEL, bad, at).alarm !== undefined
    const standing = book.standing(miner.hotkey, MODEL)
    evidence.publish({ ...common, at, standing, bands: honestBands(DEFAULT_FLOORS) })
  }
  const models = async () => (await records.report({ miner: '1', hours: '1' })).miners[0]?.models ?? []
  await expect.poll(async () => (await models().catch(() => []))[0]?.evidence?.level).toBe('barred')
  const found = (await models())[0]?.evidence
  expect(found).toMatchObject({ enforces: true, threshold: 4, dialect: null })
  expect(found?.sentence).toContain('stated log probabilities are off by 0.100 nats')
  expect(found?.points.map(({ level }) => level)).toEqual([
    ...new Array((found?.points.length ?? 1) - 1).fill('clean'),
    'barred',
  ])
  expect(found?.points.at(-1)?.enforced).toBeGreaterThanOrEqual(4)
  const [residual] = found?.statistics ?? []
  expect(residual).toMatchObject({ statistic: 'residual', honest: { low: 0, high: 0.05 } })
  expect(residual?.estimate?.value).toBeCloseTo(0.1)
  await close()
})

it('without a history reports no miners and makes no folder', async () => {
  const { records, close } = await setup(false)
  expect((await records.report({})).miners).toEqual([])
  await close()
  expect(existsSync(historyFile(stateDir))).toBe(false)
})

it('places the lock beside the state folder, so that two names of one hotkey share it', () => {
  expect(validatorLockPath('/state/validator')).toBe('/state/validator.lock')
  expect(validatorLockPath('/state/other')).toBe('/state/validator.lock')
})
