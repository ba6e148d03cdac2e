import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ValidatorSettings } from '../../../../src/config/index.js'
import { DEFAULT_FLOORS, type Noise } from '../../../../src/evidence/index.js'
import type { InferenceRequest } from '../../../../src/inference/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import { scoresByUid } from '../../../../src/roles/validator/epochs/weights-job.js'
import { type EvidenceRow, levelsFrom, openEvidence } from '../../../../src/roles/validator/evidence/index.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import type { Verdict } from '../../../../src/verification/index.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { completionRequest, servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigContext, createRigEngine, defaultSettings, MODEL } from '../validator-rig.js'
import { greedyAnswer, judgedAnswer } from './evidence-parts.js'

const CHEAT = '5Miner1'
const HONEST = '5Miner2'
const OTHER = 'org/other'
const VERIFIED: Verdict = { kind: 'verified' }
const CALIBRATED: Noise = { logitScale: 0.02, residual: 0.005, unexplained: 1e-3 }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-evidence-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Given {
  readonly settings?: Partial<ValidatorSettings>
  readonly calibrated?: (model: string) => Noise | undefined
}

async function open({ settings = {}, calibrated = () => CALIBRATED }: Given = {}) {
  const events: Record<string, unknown>[] = []
  const clock = new ManualClock()
  const all = defaultSettings({ 'evidence.clean-answers': 10, 'evidence.kept-answers': 0, ...settings })
  const view = viewOf(servingMiners(2), [MODEL, OTHER])
  const context = createRigContext({
    ...{ clock, view, settings: all, stateDir: folder },
    log: pino({ level: 'debug' }, { write: (line) => events.push(JSON.parse(line)) }),
  })
  const evidence = topicOf<EvidenceRow>()
  const opened = await openEvidence(context as unknown as Parameters<typeof openEvidence>[0], {
    levelsFor: levelsFrom(all, calibrated),
    events: { evidence: evidence.topic },
  })
  const engine = createRigEngine()
  let answers = 0
  const give = (hotkey: string, noise: number, model = MODEL, verdict = VERIFIED): Verdict => {
    const request = { ...completionRequest(200), model }
    const compared = greedyAnswer(`${hotkey} ${model} ${answers++}`, noise)
    const observation = opened.weigh(engine, hotkey, compared, judgedAnswer(compared, request))
    return opened.review({ hotkey, model, verdict, observation, at: clock.now() })
  }
  /** Gives cheated answers until one fails. @returns how many it took */
  const cheat = (hotkey: string, model = MODEL) => {
    for (let count = 1; count <= 200; count++) if (give(hotkey, 1.5, model).kind === 'failed') return count
    return Number.POSITIVE_INFINITY
  }
  const logged = (event: string) => events.filter((line) => line.event === event)
  const metrics = () => context.metrics.text()
  return {
    ...{ evidence: opened, clock, view, engine, give, cheat, logged, metrics },
    rows: evidence.published,
  }
}

function topicOf<T>() {
  const topic = createTopic<T>()
  const published: T[] = []
  topic.subscribe((value) => published.push(value))
  return { topic, published }
}

describe('a calibrated model', () => {
  it('fails a cheat within a few answers and scores it 0 for this model alone', async () => {
    const { evidence, view, give, cheat, logged, metrics, rows } = await open()
    for (let count = 0; count < 30; count++) expect(give(HONEST, 0.02).kind).toBe('verified')
    give(CHEAT, 0.02, OTHER)
    const taken = cheat(CHEAT)
    expect(taken).toBeGreaterThan(2)
    expect(taken).toBeLessThan(40)
    expect(give(CHEAT, 1.5)).toMatchObject({ cause: 'EVIDENCE', detail: expect.stringContaining('differ') })
    expect(evidence.isBarred(CHEAT, MODEL)).toBe(true)
    expect(evidence.isBarred(CHEAT, OTHER)).toBe(false)
    expect(evidence.isBarred(HONEST, MODEL)).toBe(false)

    const book = new ScoreBook()
    for (const hotkey of [CHEAT, HONEST])
      for (const model of [MODEL, OTHER]) book.record(hotkey, model, 50, 1)
    const scores = scoresByUid(view, book, 'proportional', evidence.isBarred)
    expect(scores.get(1)).toBeCloseTo((scores.get(2) ?? 0) / 2)
    expect(logged('evidence-alarm')).toMatchObject([
      { hotkey: CHEAT, model: MODEL, uid: 1, isEnforced: true },
    ])
    expect(rows.at(-1)).toMatchObject({ hotkey: CHEAT, model: MODEL, standing: { level: 'barred' } })
    const text = await metrics()
    expect(text).toMatch(/targon_validator_evidence_alarms_total\{statistic="\w+"\} 1/)
    expect(text).toContain('targon_validator_evidence_pairs{standing="barred"} 1')
    expect(text).not.toContain(CHEAT)
  })

  it('counts a miner again after enough answers in a row that fit the model', async () => {
    const { evidence, give, cheat, logged } = await open()
    cheat(CHEAT)
    const verdicts = Array.from({ length: 10 }, () => give(CHEAT, 0.02).kind)
    expect(verdicts.slice(0, 9)).toEqual(new Array(9).fill('failed'))
    expect(verdicts.at(-1)).toBe('verified')
    expect(evidence.isBarred(CHEAT, MODEL)).toBe(false)
    expect(logged('evidence-cleared')).toMatchObject([{ hotkey: CHEAT, model: MODEL }])
  })

  it('keeps bars and evidence over a restart, and forgets miners that left', async () => {
    const first = await open()
    first.cheat(CHEAT)
    for (let count = 0; count < 3; count++) first.give('5Gone', 1.5)
    await first.evidence.save()
    const again = await open()
    expect(again.evidence.isBarred(CHEAT, MODEL)).toBe(true)
    expect(again.evidence.standings(CHEAT)[0]?.standing).toEqual(first.evidence.standings(CHEAT)[0]?.standing)
    expect(again.evidence.standings('5Gone')).toEqual([])
  })

  it('loads the previous save when the file is damaged, and keeps the damaged one', async () => {
    const { evidence, cheat, give } = await open()
    cheat(CHEAT)
    await evidence.save()
    give(HONEST, 0.02)
    await evidence.save()
    const path = join(folder, 'evidence.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace('"barred"', '"Barred"').replace('1', '2'))
    const again = await open()
    expect(again.evidence.isBarred(CHEAT, MODEL)).toBe(true)
    expect(again.logged('evidence-restored')).toHaveLength(1)
    expect(await readdir(folder)).toContain('evidence.json.damaged')
  })

  it('starts the evidence of a model again when more noise is granted for it', async () => {
    let noise = CALIBRATED
    const { evidence, cheat, give, logged } = await open({ calibrated: () => noise })
    cheat(CHEAT)
    noise = { ...CALIBRATED, logitScale: 0.5 }
    expect(give(CHEAT, 0.02).kind).toBe('verified')
    expect(evidence.isBarred(CHEAT, MODEL)).toBe(false)
    expect(logged('evidence-restarted')).toMatchObject([{ model: MODEL }])
  })
})

describe('what becomes of evidence', () => {
  const uncalibrated = () => undefined

  it('is shown but costs nothing while there is no calibration', async () => {
    const { evidence, cheat, logged } = await open({ calibrated: uncalibrated })
    expect(cheat(CHEAT)).toBe(Number.POSITIVE_INFINITY)
    expect(evidence.isBarred(CHEAT, MODEL)).toBe(false)
    expect(evidence.standings(CHEAT)).toMatchObject([{ isEnforced: false, standing: { level: 'barred' } }])
    expect(logged('evidence-alarm')).toMatchObject([{ isEnforced: false }])
  })

  it('is enforced without a calibration when the operator says so', async () => {
    const { cheat } = await open({ calibrated: uncalibrated, settings: { 'evidence.mode': 'enforce' } })
    expect(cheat(CHEAT)).toBeLessThan(40)
  })

  it('is not weighed at all when switched off', async () => {
    const { evidence, cheat } = await open({ settings: { 'evidence.mode': 'off' } })
    expect(cheat(CHEAT)).toBe(Number.POSITIVE_INFINITY)
    expect(evidence.standings(CHEAT)).toEqual([])
  })

  it.each([
    ['count', 'barred'],
    ['suspect', 'suspected'],
    ['off', undefined],
  ] as const)('of answers that a hub reported, with %s: %s', async (organics, level) => {
    const { evidence, engine } = await open({ settings: { 'evidence.organics': organics } })
    for (let count = 0; count < 60; count++) {
      const compared = greedyAnswer(`organic ${count}`, 1.5)
      evidence.addOrganic(engine, CHEAT, compared, judgedAnswer(compared, completionRequest(200)))
    }
    expect(evidence.isBarred(CHEAT, MODEL)).toBe(level === 'barred')
    expect(evidence.standings(CHEAT).map(({ standing }) => standing.level)).toEqual(level ? [level] : [])
  })

  it('is saved after it changed, and only then', async () => {
    const { evidence, give } = await open()
    const written = async () => (await stat(join(folder, 'evidence.json'))).ino
    give(HONEST, 0.02)
    await evidence.save()
    const first = await written()
    await evidence.save()
    evidence.keepOnly(new Set([HONEST]))
    await evidence.save()
    expect(await written()).toBe(first)
    give(HONEST, 0.02)
    await evidence.save()
    const second = await written()
    expect(second).not.toBe(first)
    evidence.keepOnly(new Set())
    await evidence.save()
    expect(await written()).not.toBe(second)
  })

  it('costs nothing where a verdict failed or is ours already', async () => {
    const { give, cheat } = await open()
    cheat(CHEAT)
    const failed: Verdict = { kind: 'failed', cause: 'TIMEOUT', detail: '' }
    expect(give(CHEAT, 1.5, MODEL, failed)).toBe(failed)
    const ours: Verdict = { kind: 'inconclusive', reason: 'stalled-loop', detail: '' }
    expect(give(CHEAT, 1.5, MODEL, ours)).toBe(ours)
  })

  it('says its budget at the start, and follows the rate of rounds', async () => {
    const { evidence, clock, give, logged } = await open()
    expect(logged('evidence-opened')).toMatchObject([{ falseAlarm: 1e-6, threshold: evidence.threshold() }])
    const before = evidence.threshold()
    give(HONEST, 0.02)
    await clock.advance(3_600_000)
    give(HONEST, 0.02)
    // Two answers an hour are 1,440 a month.
    expect(evidence.threshold()).toBeCloseTo(Math.log10(1440e6))
    expect(evidence.threshold()).toBeLessThan(before)
  })
})

describe('answers whose prompt may differ by a date', () => {
  it('are not weighed outside the hours in which the day is the same where servers run', async () => {
    const { evidence, clock, engine } = await open()
    const chat = { ...completionRequest(200), endpoint: 'chat', messages: [] } as const
    const day = new Date(clock.now()).toLocaleDateString('en-US', { dateStyle: 'long', timeZone: 'UTC' })
    const dated = { ...engine, detokenize: async () => `Today Date: ${day}` }
    const weigh = (by: typeof engine, request: InferenceRequest) => {
      const compared = greedyAnswer('dated', 0)
      return evidence.weigh(by, HONEST, compared, judgedAnswer(compared, request)) !== undefined
    }
    expect(weigh(dated, chat)).toBe(false)
    await settle()
    const startOfDay = Math.floor(clock.now() / 86_400_000) * 86_400_000
    const at = async (hour: number) => {
      const next = startOfDay + 86_400_000 + hour * 3_600_000
      await clock.advance(next - clock.now())
      return weigh(dated, chat)
    }
    expect(await at(3)).toBe(false)
    expect(weigh(dated, completionRequest(200))).toBe(true)
    expect(await at(11)).toBe(true)
    expect(await at(20)).toBe(false)
  })
})

describe('early ends', () => {
  const chosen: Verdict = { kind: 'verified', hasNoSpeed: true, endOdds: 50 }
  const end = (opened: Awaited<ReturnType<typeof open>>, hotkey: string, model: string, verdict: Verdict) =>
    opened.evidence.review({ hotkey, model, verdict, observation: undefined, at: 0 })

  it('fail once they are multiplied, for this miner and model alone, also after a restart', async () => {
    const first = await open()
    const verdicts = Array.from({ length: 12 }, () => end(first, CHEAT, MODEL, chosen))
    expect(verdicts[0]).toBe(chosen)
    expect(verdicts.at(-1)).toMatchObject({ kind: 'failed', cause: 'EARLY_END' })
    expect(end(first, CHEAT, OTHER, chosen)).toBe(chosen)
    expect(end(first, HONEST, MODEL, chosen)).toBe(chosen)
    expect(end(first, CHEAT, MODEL, VERIFIED)).toBe(VERIFIED)
    await first.evidence.save()
    const again = await open()
    expect(end(again, CHEAT, MODEL, chosen)).toMatchObject({ cause: 'EARLY_END' })
  })

  it('are forgotten when whole answers outweigh them', async () => {
    const opened = await open()
    for (let answer = 0; answer < 500; answer++) {
      expect(end(opened, HONEST, MODEL, answer % 40 === 0 ? chosen : VERIFIED).kind).toBe('verified')
    }
  })
})

it('forgets the levels of models that no miner has answers to and that are not wanted any more', async () => {
  const { evidence, view, give } = await open()
  const stored = async () => {
    await evidence.save()
    return await readFile(join(folder, 'evidence.json'), 'utf8')
  }
  give(HONEST, 0.02)
  give(HONEST, 0.02, OTHER)
  view.replaceWanted([MODEL])
  evidence.keepOnly(new Set([HONEST]))
  expect(await stored()).toContain(OTHER)
  evidence.keepOnly(new Set([CHEAT]))
  expect(await stored()).toContain(MODEL)
  expect(await stored()).not.toContain(OTHER)
})

it('has the floors of the evidence as defaults of the settings', () => {
  const settings = defaultSettings({})
  expect(settings['evidence.floor-logits']).toBe(DEFAULT_FLOORS.logitScale)
  expect(settings['evidence.floor-logprobs']).toBe(DEFAULT_FLOORS.residual)
})
