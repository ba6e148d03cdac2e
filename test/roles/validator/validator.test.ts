import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { validatorStatus } from '../../../src/roles/validator/index.js'
import { type FakeMiner, startFakeMiner } from '../../support/fake-miner.js'
import { createRig, MODEL, type Rig } from './validator-rig.js'

const open: { dispose?(): Promise<void>; close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await (thing.dispose?.() ?? thing.close?.())
})

async function withMiners(...options: Parameters<typeof startFakeMiner>[0][]): Promise<FakeMiner[]> {
  const miners = await Promise.all(options.map(startFakeMiner))
  open.push(...miners)
  return miners
}

async function rigOf(...given: Parameters<typeof createRig>): Promise<Rig> {
  const rig = await createRig(...given)
  open.unshift(rig)
  return rig
}

const verdictOf = (uid: number, verdict: string) => (line: Record<string, unknown>) =>
  line.event === 'verdict' && line.uid === uid && line.verdict === verdict

test('verifies honest miners and ranks them by speed, scores cheats 0, and sets weights once per epoch', async () => {
  const miners = await withMiners(
    { models: [MODEL], gapMs: 2 },
    { models: [MODEL], gapMs: 40 },
    { models: [MODEL], behaviour: 'liar' },
    { models: [MODEL], behaviour: 'refuses' },
    { models: ['org/other'] },
  )
  const rig = await rigOf(miners, { 'round.thread': true })
  const validator = await rig.start()
  await Promise.all([
    rig.logged(verdictOf(1, 'verified')),
    rig.logged(verdictOf(2, 'verified')),
    rig.logged(verdictOf(3, 'failed')),
    rig.logged(verdictOf(4, 'failed')),
  ])
  rig.chain.grow(121)
  const set = await rig.logged(({ event }) => event === 'weights-set')
  rig.chain.grow(122)
  rig.chain.grow(149)
  expect(set).toMatchObject({ path: 'direct', block: 121 })
  const byUid = new Map(
    (set.uids as number[]).map((uid, index) => [uid, (set.weights as number[])[index] ?? 0]),
  )
  expect(byUid.get(1)).toBe(65535)
  expect(byUid.get(2)).toBeGreaterThan(0)
  expect(byUid.get(2)).toBeLessThan(65535)
  for (const cheat of [3, 4, 5]) expect(byUid.get(cheat) ?? 0).toBe(0)

  const status = validatorStatus.parse(await (await fetch(`${validator.url}/status`)).json())
  expect(status.weights?.entries.find(({ uid }) => uid === 1)?.weightU16).toBe(65535)
  expect(status.epoch).toEqual({ index: 4, dueBlock: 120, nextBlock: 150 })
  const [first, , liar, refuser, other] = status.miners
  expect(first).toMatchObject({ uid: 1, models: [MODEL], last: { kind: 'verified', model: MODEL } })
  expect(liar?.verdicts.failed).toHaveProperty('LOGPROB_MISMATCH')
  expect(refuser?.verdicts.failed).toHaveProperty('BAD_STREAM')
  expect(other?.models).toEqual([])

  const report = await validator.stop()
  expect(report).toMatchObject({ uid: 0, weightsSet: 1 })
  expect(rig.chain.submissions).toHaveLength(1)
  expect(miners[0]?.announced.at(-1)).toEqual([MODEL])
})

test('fails no miner while our clock is wrong, and queries them once it is right', async () => {
  const [miner] = await withMiners({ models: [MODEL], gapMs: 1 })
  const rig = await rigOf(miner ? [miner] : [])
  rig.chain.clockOffsetMs = -20_000
  const validator = await rig.start()
  const skipped = await rig.logged(({ event }) => event === 'round-skipped')
  expect(skipped.reason).toMatch(/clock/)
  const metrics = await (await fetch(`${validator.url}/metrics`)).text()
  expect(metrics).toContain('targon_clock_offset_seconds -20\n')
  expect(metrics).toContain('targon_validator_verdicts_total{cause="verified"} 0\n')
  expect(rig.log.filter(({ event }) => event === 'verdict')).toEqual([])
  rig.chain.clockOffsetMs = 0
  await rig.logged(verdictOf(1, 'verified'))
  const { verdicts } = await validator.stop()
  expect(verdicts.failed).toBe(0)
})

test('gives every miner its own prompt and seed, reproducible by one seed', async () => {
  const firstRequests = async () => {
    const miners = await withMiners({ models: [MODEL] }, { models: [MODEL] })
    const rig = await rigOf(miners, { 'round.models': 'in-turn' })
    const validator = await rig.start()
    await Promise.all([rig.logged(verdictOf(1, 'verified')), rig.logged(verdictOf(2, 'verified'))])
    await validator.stop()
    return miners.map((miner) => miner.asked[0]?.body)
  }
  const [one, two] = await firstRequests()
  expect(one?.seed).not.toBe(two?.seed)
  expect(one?.max_tokens).toBe(two?.max_tokens)
  expect([one?.messages, one?.prompt]).not.toEqual([two?.messages, two?.prompt])
  expect(await firstRequests()).toEqual([one, two])
})

test('sends the questions of a data set to the miners', async () => {
  const miners = await withMiners({ models: [MODEL] })
  const questions = { nextQuestion: async () => 'Why do cats purr?' }
  const rig = await rigOf(miners, {}, { questions })
  const validator = await rig.start()
  await rig.logged(verdictOf(1, 'verified'))
  await validator.stop()
  expect(JSON.stringify(miners[0]?.asked[0]?.body)).toContain('Why do cats purr?')
})

test('a failing engine is inconclusive and changes no score', async () => {
  const miners = await withMiners({ models: [MODEL] })
  const rig = await rigOf(miners)
  const engine = rig.deps.engines()[0] as { failure?: Error }
  engine.failure = new Error('engine unavailable')
  const validator = await rig.start()
  await rig.logged(verdictOf(1, 'inconclusive'))
  const status = validatorStatus.parse(await (await fetch(`${validator.url}/status`)).json())
  expect(status.miners[0]).toMatchObject({ score: 0, verdicts: { verified: 0, failed: {} } })
  rig.chain.grow(121)
  await rig.logged(({ event }) => event === 'weights-skipped')
  await validator.stop()
  expect(rig.chain.submissions).toEqual([])
})

test('saves scores on stop, loads them at the next start, and sets due weights at once', async () => {
  const miners = await withMiners({ models: [MODEL] })
  const rig = await rigOf(miners)
  const first = await rig.start()
  await rig.logged(verdictOf(1, 'verified'))
  await first.stop()
  expect(await readFile(join(rig.deps.stateDir, 'cache.json'), 'utf8')).toContain(MODEL)

  const again = await createRig(miners, {}, { stateDir: rig.deps.stateDir, engines: () => [] })
  open.unshift(again)
  const second = await again.start()
  expect(await again.logged(({ event }) => event === 'scores-loaded')).toMatchObject({ miners: 1 })
  await again.logged(({ event }) => event === 'round-skipped')
  await again.logged(({ event }) => event === 'weights-set')
  expect(again.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
  await second.stop()
})
