import { afterEach, describe, expect, it } from 'vitest'
import type { ValidatorSettings } from '../../../../src/config/index.js'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import { connectPorts, type PromptSources } from '../../../../src/roles/validator/rounds/ports.js'
import { startFakeMiner } from '../../../support/fake-miner.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { createRigContext, createRigEngine, defaultSettings, MODEL } from '../validator-rig.js'
import { answerOf, completionRequest, planOf, servingMiner, servingMiners } from './round-parts.js'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close()
})

async function setup(change: Partial<ValidatorSettings> = {}, sources: Partial<PromptSources> = {}) {
  const clock = new ManualClock()
  const stop = new AbortController()
  const maxTokens = { min: 16, max: 16 }
  const settings = defaultSettings({ 'round.thread': false, 'round.max-tokens': maxTokens, ...change })
  const context = createRigContext({ clock, signal: stop.signal, settings, signer: await hotkeyOf(200) })
  const connected = await connectPorts(context, { random: createRandom('ports'), ...sources })
  open.push({ close: async () => stop.abort() }, connected)
  return { clock, ports: connected.ports, signal: stop.signal }
}

const hangs = () => new Promise<never>(() => {})
const hangingEngine: ReferenceEngine = {
  ...createRigEngine(),
  generate: hangs,
  detokenize: hangs,
  score: hangs,
}
const [first, second] = [servingMiner(1), servingMiner(2)]

describe('prompts', () => {
  it('gives all miners of a round the question of the source, each with its own seed', async () => {
    const questions = { nextQuestion: async () => 'Why do cats purr?' }
    const { ports, signal } = await setup({ seed: 's' }, { questions })
    const requestFor = await ports.prompts(planOf([first, second]), 0, signal)
    const [one, two] = [requestFor(first), requestFor(second)]
    expect(one).toMatchObject({ model: MODEL, endpoint: 'completion', maxTokens: 16 })
    for (const request of [one, two]) expect(JSON.stringify(request)).toContain('Why do cats purr?')
    expect(one.seed).not.toBe(two.seed)
    expect(requestFor(first)).toEqual(one)
  })

  it('uses the question unchanged when the engine takes longer than 10 s to rewrite it', async () => {
    const questions = { nextQuestion: async () => 'Why do cats purr?' }
    const { clock, ports, signal } = await setup({ seed: undefined }, { questions })
    const prompts = ports.prompts(planOf([first], hangingEngine), 0, signal)
    await settle()
    await clock.advance(10_000)
    expect(JSON.stringify((await prompts)(first))).toContain('Why do cats purr?')
  })

  it('rejects after 30 s when a source of questions hangs', async () => {
    const { clock, ports, signal } = await setup({ seed: 's' }, { questions: { nextQuestion: hangs } })
    const prompts = ports.prompts(planOf([first]), 0, signal)
    const rejected = expect(prompts).rejects.toThrow(/did not finish within 30 s/)
    await settle()
    await clock.advance(30_000)
    await rejected
  })
})

describe('prepare', () => {
  it('signs at once and queries the miner only when the call is started', async () => {
    const server = await startFakeMiner({ models: [MODEL] })
    open.push(server)
    const { ports, signal } = await setup()
    const [miner = first] = servingMiners(1, server.port)
    ports.signAhead?.(miner)
    const call = ports.prepare(completionRequest(16), miner)
    await settle()
    expect(server.asked).toEqual([])
    expect(await call(signal)).toMatchObject({ status: 200, finishReason: 'length' })
    expect(server.asked).toMatchObject([{ path: '/v1/completions', body: { max_tokens: 16 } }])
  })
})

describe('verify', () => {
  it('rejects after 120 s when the engine hangs', async () => {
    const { clock, ports, signal } = await setup()
    const tokens = Array.from({ length: 16 }, (_, id) => ({ text: ` w${id}`, tokenId: id, logprob: -0.1 }))
    const answer = answerOf({ tokens, text: tokens.map(({ text }) => text).join(''), chunks: 16 })
    const verdict = ports.verify(hangingEngine, completionRequest(16), answer, signal)
    const rejected = expect(verdict).rejects.toThrow(/did not finish within 120 s/)
    await settle()
    await clock.advance(120_000)
    await rejected
  })
})

it('voids results by the configured stall limit', async () => {
  const { ports } = await setup({ 'round.stall-limit': 70 })
  expect(ports.stallLimitMs).toBe(70)
  expect(ports.stallSince(0)).toBe(0)
})
