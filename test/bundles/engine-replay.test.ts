import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  describeEngineReplay,
  type KeptAnswer,
  keepAnswer,
  replayAnswers,
  replayOnEngine,
} from '../../src/bundles/index.js'
import type { ReferenceEngine } from '../../src/engine/index.js'
import { type ComparedAnswer, EvidenceBook, noiseLevels, observe } from '../../src/evidence/index.js'
import type { BehaviourName, DevelopmentEngineOptions } from '../../src/localnet/engine/index.js'
import { type JudgedAnswer, verifyAnswer } from '../../src/verification/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { MODEL, requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

const MINER = '5Miner'
const OTHER = 'targon-dev/small-b'
const RULES = { threshold: 1e6, cleanAnswers: 10 }
const deps = { clock: new ManualClock(), signal: new AbortController().signal }

let rig: VerificationRig
let honest: KeptAnswer[]
let quantised: KeptAnswer[]

beforeAll(async () => {
  rig = await startVerificationRig()
  honest = await recordAnswers('honest', 6)
  quantised = await recordAnswers('int4', 12)
}, 60_000)
afterAll(() => rig.close())

/** Answers of a miner as a validator keeps them. */
async function recordAnswers(behaviour: BehaviourName, count: number): Promise<KeptAnswer[]> {
  const miner = await rig.startMiner({ behaviour })
  const book = new EvidenceBook(RULES)
  const levels = noiseLevels(undefined)
  const answers: KeptAnswer[] = []
  for (let at = 0; at < count; at++) {
    const endpoint = at % 2 === 0 ? 'chat' : 'completion'
    const request = await requestOf(`replay ${at}`, {
      temperature: at % 3 === 0 ? 0 : 0.8,
      endpoint,
      maxTokens: 96,
    })
    const answer = await rig.ask(miner.url, request)
    const seen: { compared: ComparedAnswer; judged: JudgedAnswer }[] = []
    await verifyAnswer({
      ...{ request, answer, engine: rig.engine, rules: 'strict', ...deps },
      onCompared: (compared, judged) => seen.push({ compared, judged }),
    })
    const [one] = seen
    if (!one) throw new Error(`answer ${at} was not compared`)
    const before = book.pairData(MINER, MODEL)
    const observation = observe(one.compared, levels, book.dialectOf(MINER, MODEL))
    book.record(MINER, MODEL, observation, at)
    const standing = book.standing(MINER, MODEL)
    const parts = { at, source: 'own', ...one, levels, rules: RULES, before, observation, standing } as const
    answers.push(JSON.parse(JSON.stringify(await keepAnswer(parts))))
  }
  await miner.close()
  return answers
}

async function replay(answers: readonly KeptAnswer[], engine: ReferenceEngine) {
  const result = await replayOnEngine(MINER, MODEL, answers, engine, deps)
  return { ...result, sentences: describeEngineReplay(result, ['http://own:8000']).join('\n') }
}

/** An engine of the reader. */
async function ownEngine(options: Partial<DevelopmentEngineOptions>, model = MODEL) {
  const server = await rig.startMiner({ models: [model], ...options })
  const engine = rig.connect(server.url, model)
  await engine.whenReady(deps.signal)
  return engine
}

describe('a bundle on the reader’s own engine', { timeout: 60_000 }, () => {
  it('gives the same verdicts and the same evidence where the engine runs the same model', async () => {
    const again = await replay(honest, await ownEngine({}))
    expect(again).toMatchObject({ answers: 6, compared: 6, otherPrompts: 0, difference: 0, agrees: true })
    expect(again.strict.map(({ kind }) => kind)).toEqual(honest.map(({ judged }) => judged.verdict.kind))
    expect(again.targon4.map(({ kind }) => kind)).not.toContain('inconclusive')
    expect(again.own).toEqual(again.recorded)
    expect(again.sentences).toContain('http://own:8000 confirms the reference of the bundle')
    expect(again.sentences).toContain('6 verified (strict)')
  })

  it('reaches the alarm of the validator', async () => {
    const offline = await replayAnswers(MINER, MODEL, quantised, deps)
    expect(offline.standing.level).toBe('barred')
    const again = await replay(quantised, await ownEngine({ numericNoise: { prefill: 0.02 } }))
    expect(again.agrees).toBe(true)
    expect(again.difference).toBeGreaterThan(0)
    expect(again.own.level).toBe('barred')
    expect(again.sentences).toMatch(/barred .* by the reference of the bundle, barred .* by this engine/)
  })

  it('says so where the engine runs another model, whatever its name', async () => {
    const again = await replay(honest, await ownEngine({}, OTHER))
    expect(again.agrees).toBe(false)
    expect(again.difference).toBeGreaterThan(0.3)
    expect(again.sentences).toContain('does not confirm the reference of the bundle')
    expect(again.sentences).toContain('run different models or weights')
    expect(again.strict.some(({ kind }) => kind === 'failed')).toBe(true)
  })

  it('says so where the engine reads other prompts', async () => {
    const again = await replay(honest, await ownEngine({ templateDate: true }))
    expect(again).toMatchObject({ agrees: false, otherPrompts: 3 })
    expect(again.sentences).toContain('The prompt of 3 of 6 answers has another number of tokens')
  })

  it('says why an engine cannot judge', async () => {
    const engine = await ownEngine({ maxModelLen: 64 })
    const again = await replay(honest, engine)
    expect(again).toMatchObject({ compared: 0, agrees: false })
    expect(again.sentences).toContain('No answer could be compared with the engine at http://own:8000.')
    expect(again.sentences).toContain('exceed the engine’s 64 tokens')
  })
})
