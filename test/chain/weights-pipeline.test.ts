import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWeightsPipeline, type WeightsChain, type WeightsPipeline } from '../../src/chain/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { Crash, type Fate, RATE_LIMIT, SimulatedChain } from './simulated-chain.js'
import { recordLog } from './subnet.js'

let folder: string
let signer: Signer
let pipeline: WeightsPipeline | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-'))
  signer = await hotkeyOf(1)
})
afterEach(async () => {
  await pipeline?.close()
  pipeline = undefined
  await rm(folder, { recursive: true, force: true })
})

const vector = { uids: [2], scores: [1], versionKey: 1 }

async function open(
  chain: WeightsChain,
  options: { isAlone?: boolean; log?: ReturnType<typeof recordLog> } = {},
) {
  pipeline = await openWeightsPipeline({
    chain,
    signer,
    netuid: 4,
    ledgerPath: join(folder, 'weights.json'),
    isAlone: options.isAlone ?? false,
    clock: systemClock,
    log: options.log ?? recordLog(),
    signal: new AbortController().signal,
    lockTimes: { waitMs: 0 },
  })
  return pipeline
}

describe('WeightsPipeline: one epoch', () => {
  it('is set once; another attempt changes nothing', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: true })
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set', block: 101 })
    chain.advance(50)
    expect(await weights.attempt(1, vector)).toEqual({ kind: 'already-set', block: 101 })
    expect(chain.accepted).toEqual([101])
  })

  it('is known to the next process', async () => {
    const chain = new SimulatedChain()
    const first = await open(chain, { isAlone: true })
    expect(first.lastConfirmed).toBeUndefined()
    await first.attempt(1, vector)
    await first.skip(2, 'nothing-scorable')
    await first.close()
    expect((await open(chain)).lastConfirmed).toEqual({ epoch: 1, block: 101 })
  })

  it('can still be set after it was skipped', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: true })
    await weights.skip(1, 'nothing-scorable')
    expect(JSON.parse(await readFile(join(folder, 'weights.json'), 'utf8')).entries).toMatchObject([
      { epoch: 1, status: 'skipped', reason: 'nothing-scorable' },
    ])
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set' })
  })

  it('stays set when it is skipped later', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: true })
    await weights.attempt(1, vector)
    await weights.skip(1, 'nothing-scorable')
    chain.advance(50)
    expect(await weights.attempt(1, vector)).toEqual({ kind: 'already-set', block: 101 })
  })

  it('leaves a private ledger and no staged file', async () => {
    const weights = await open(new SimulatedChain(), { isAlone: true })
    await weights.attempt(1, vector)
    expect((await stat(join(folder, 'weights.json'))).mode & 0o777).toBe(0o600)
    expect((await readdir(folder)).sort()).toEqual(['weights.json', 'weights.json.lock'])
  })
})

describe('WeightsPipeline: crashes and lost extrinsics (F13, T-W4)', () => {
  const fate = fc.constantFrom<Fate>('included', 'lost', 'late', 'crash-landed', 'crash-lost', 'failed')
  const EPOCH = 60

  /** Accepted submissions of each of four epochs. */
  async function runEpochs(chain: SimulatedChain, gap: number): Promise<number[]> {
    let weights = await open(chain, { isAlone: true })
    const counts: number[] = []
    for (let epoch = 1; epoch <= 4; epoch++) {
      const begin = chain.block
      while (chain.block < begin + EPOCH) {
        try {
          await weights.attempt(epoch, vector)
        } catch (error) {
          if (!(error instanceof Crash)) throw error
          await weights.close()
          weights = await open(chain, { isAlone: true })
        }
        chain.advance(1 + gap)
      }
      counts.push(chain.accepted.filter((block) => block > begin && block <= chain.block).length)
    }
    await weights.close()
    await rm(join(folder, 'weights.json'), { force: true })
    return counts
  }

  it.each([RATE_LIMIT, 0])(
    'has exactly one submission accepted per epoch, whatever happens (rate limit %i)',
    async (rateLimit) => {
      const delays = fc.array(fc.nat({ max: 3 }), { maxLength: 20 })
      const fates = fc.array(fate, { maxLength: 14 })
      const waits = fc.nat({ max: 3 })
      await fc.assert(
        fc.asyncProperty(fates, delays, waits, waits, async (someFates, someDelays, gap, poolBlocks) => {
          const chain = new SimulatedChain()
          Object.assign(chain, { rateLimit, poolBlocks: poolBlocks + 1 })
          Object.assign(chain, { fates: [...someFates], delays: [...someDelays] })
          expect(await runEpochs(chain, gap)).toEqual([1, 1, 1, 1])
          expect(chain.tooFast).toEqual([])
        }),
        { numRuns: 50 },
      )
    },
    60_000,
  )

  it('would set weights twice with the current nonce instead of the one read at the decision', async () => {
    const overtaken = { rateLimit: 0, poolBlocks: 3, fates: ['late'], delays: [0, 2] }
    const chain = Object.assign(new SimulatedChain(), structuredClone(overtaken))
    expect(await runEpochs(chain, 0)).toEqual([1, 1, 1, 1])
    const naive = Object.assign(new SimulatedChain(), structuredClone(overtaken), { isNaive: true })
    expect((await runEpochs(naive, 0))[0]).toBe(2)
  })

  it('finds what landed while the process was down instead of sending it again', async () => {
    const chain = new SimulatedChain()
    chain.fates = ['crash-landed']
    let weights = await open(chain)
    chain.advance(RATE_LIMIT)
    await expect(weights.attempt(7, vector)).rejects.toThrow(Crash)
    await weights.close()
    chain.advance(30)
    weights = await open(chain)
    expect(await weights.attempt(7, vector)).toEqual({ kind: 'already-set', block: 111 })
    expect(chain.accepted).toEqual([111])
  })
})

describe('WeightsPipeline: a second validator on the hotkey (F15, T-W3)', () => {
  it('is checked for during one rate limit when there is no ledger', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain)
    const held = { kind: 'held', untilBlock: 110, reason: 'doppelganger-watch' }
    expect(await weights.attempt(1, vector)).toEqual(held)
    chain.advance(9)
    expect(await weights.attempt(1, vector)).toEqual(held)
    chain.advance(1)
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set' })
  })

  it('is detected during the check', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain)
    chain.advance(3)
    chain.setByOther()
    await expect(weights.attempt(1, vector)).rejects.toMatchObject({
      code: 'HOTKEY_IN_USE',
      fault: 'hotkey-in-use',
    })
    expect(chain.accepted).toEqual([])
  })

  it('is detected later, before our next submission', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: false })
    chain.advance(RATE_LIMIT)
    await weights.attempt(1, vector)
    chain.advance(20)
    chain.setByOther()
    chain.advance(20)
    await expect(weights.attempt(2, vector)).rejects.toMatchObject({ code: 'HOTKEY_IN_USE' })
  })

  it('is not checked for when the operator rules it out', async () => {
    const weights = await open(new SimulatedChain(), { isAlone: true })
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set' })
  })

  it('is checked for at the start only if the ledger does not explain LastUpdate', async () => {
    const chain = new SimulatedChain()
    let weights = await open(chain, { isAlone: true })
    await weights.attempt(1, vector)
    await weights.close()
    chain.advance(40)
    weights = await open(chain)
    expect(await weights.attempt(2, vector)).toMatchObject({ kind: 'set' })
    await weights.close()
    chain.advance(40)
    chain.setByOther()
    chain.advance(10)
    weights = await open(chain)
    expect(await weights.attempt(3, vector)).toMatchObject({ kind: 'held' })
  })
})

describe('WeightsPipeline: LastUpdate moves without a second validator (T-C3, T-W3)', () => {
  it('continues after a re-org moved our extrinsic to another block', async () => {
    const chain = new SimulatedChain()
    let weights = await open(chain)
    chain.advance(RATE_LIMIT)
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set', block: 111 })
    chain.reorganise()
    chain.advance(60)
    expect(await weights.attempt(2, vector)).toMatchObject({ kind: 'set' })
    chain.reorganise()
    await weights.close()
    chain.advance(60)
    weights = await open(chain)
    expect(await weights.attempt(3, vector)).toMatchObject({ kind: 'set' })
    expect(await weights.attempt(2, vector)).toMatchObject({ kind: 'already-set', block: 173 })
  })

  it('continues after a reveal that follows switching commit-reveal off', async () => {
    const chain = new SimulatedChain()
    chain.commit = true
    chain.stored = [{ uid: 2, weightU16: 65_535 }]
    const weights = await open(chain, { isAlone: false })
    chain.advance(RATE_LIMIT)
    await weights.attempt(1, vector)
    chain.advance(30)
    chain.lastUpdate = chain.block
    chain.advance(30)
    expect(await weights.attempt(2, vector)).toMatchObject({ kind: 'set' })
  })

  it('still detects a second validator after a re-org', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain)
    chain.advance(RATE_LIMIT)
    await weights.attempt(1, vector)
    chain.reorganise()
    chain.advance(20)
    chain.setByOther()
    chain.advance(20)
    await expect(weights.attempt(2, vector)).rejects.toMatchObject({ code: 'HOTKEY_IN_USE' })
  })
})

describe('WeightsPipeline: commits', () => {
  it('reports weights that were not revealed once', async () => {
    const chain = new SimulatedChain()
    chain.commit = true
    const log = recordLog()
    const weights = await open(chain, { isAlone: true, log })
    await weights.attempt(1, vector)
    chain.advance(60)
    await weights.attempt(2, vector)
    chain.stored = [{ uid: 2, weightU16: 65_535 }]
    chain.advance(60)
    await weights.attempt(3, vector)
    const alarms = log.lines.filter(({ event }) => event === 'weights-not-revealed')
    expect(alarms).toMatchObject([{ level: 'error', fields: { epoch: 1 } }])
  })
})
