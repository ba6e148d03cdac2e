import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHeadStream } from '../../src/chain/head-stream.js'
import { submitExtrinsic } from '../../src/chain/inclusion.js'
import { openWeightsPipeline, type SubtensorClient, type WeightsPipeline } from '../../src/chain/index.js'
import { openLink } from '../../src/chain/link.js'
import { directCall } from '../../src/chain/set-weights.js'
import { signCall } from '../../src/chain/signed-extrinsic.js'
import { systemClock } from '../../src/kernel/clock.js'
import { EpochTask, epochAt } from '../../src/roles/validator/epochs/epoch-task.js'
import { type Subnet, startSubnet } from '../chain/subnet.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { ManualClock, settle } from '../support/manual-clock.js'
import { scaled } from './scale.js'
import { GAUNTLET_SEED } from './seed.js'
import { startTally } from './tally.js'

let folder: string
let subnet: Subnet

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-faults-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const vector = { uids: [0, 1], scores: [1, 0.5], versionKey: 404_010 }

describe('two validators with one hotkey (F15)', () => {
  const EACH = scaled(20, 2)
  const RATE_LIMIT = 20

  beforeEach(async () => {
    const signers = await Promise.all(Array.from({ length: 2 * EACH }, (_, seed) => hotkeyOf(seed)))
    subnet = await startSubnet({
      weightsSetRateLimit: RATE_LIMIT,
      neurons: signers.map(({ publicKey }) => ({
        ...{ hotkey: publicKey, coldkey: publicKey, stakeTao: 1000, validatorPermit: true },
      })),
    })
    makeBlocks(2 * RATE_LIMIT)
  })
  afterEach(() => subnet.close())

  function makeBlocks(count: number): void {
    for (let made = 0; made < count; made++) subnet.dev.chain.produceBlock()
  }

  async function startPipeline(chain: SubtensorClient, seed: number, isAlone: boolean) {
    return openWeightsPipeline({
      ...{ chain, signer: await hotkeyOf(seed), netuid: 4, isAlone, clock: systemClock, log: subnet.log },
      ledgerPath: join(folder, `${seed}`, 'weights.json'),
      signal: new AbortController().signal,
    })
  }

  /** Starts all validators while another one uses the first half of the hotkeys. @returns the outcome of each. */
  async function runAll(isAlone: boolean): Promise<string[]> {
    const chain = await subnet.connect()
    const pipelines: WeightsPipeline[] = []
    for (let seed = 0; seed < 2 * EACH; seed++) pipelines.push(await startPipeline(chain, seed, isAlone))
    const other = await subnet.connect()
    for (let seed = 0; seed < EACH; seed++) {
      await other.setWeights(await hotkeyOf(seed), { netuid: 4, ...vector })
    }
    makeBlocks(2 * RATE_LIMIT)
    const outcomes: string[] = []
    for (const pipeline of pipelines) {
      outcomes.push(
        await pipeline.attempt(1, vector).then(
          ({ kind }) => kind,
          (error: { code: string }) => error.code,
        ),
      )
      await pipeline.close()
    }
    return outcomes
  }

  it('stops where another validator uses the hotkey, and keeps running elsewhere', async ({ task }) => {
    const tally = startTally(task, { fault: 'F15', kind: 'validators, half of them doubled', full: 40 })
    const expected = (seed: number) => (seed < EACH ? 'HOTKEY_IN_USE' : 'set')
    expect(await runAll(false)).toEqual(Array.from({ length: 2 * EACH }, (_, seed) => expected(seed)))
    tally.count = 2 * EACH
  })

  it('control: without the check all of them keep running', async () => {
    expect(new Set(await runAll(true))).toEqual(new Set(['set']))
  })
})

describe('a runtime upgrade between signing and sending (F17)', () => {
  beforeEach(async () => {
    subnet = await startSubnet({ weightsSetRateLimit: 0, specVersion: 343 })
    for (let made = 0; made < 5; made++) subnet.dev.chain.produceBlock()
  })
  afterEach(() => subnet.close())

  it('weights are included, signed at most twice', async ({ task }) => {
    const tally = startTally(task, { fault: 'F17', kind: 'runtime upgrades after signing', full: 100 })
    const chain = await subnet.connect()
    const signer = await hotkeyOf(0)
    for (let run = 0; run < scaled(100, 2); run++) {
      let signatures = 0
      const result = await chain.setWeights(signer, {
        ...{ netuid: 4, ...vector },
        onSigned: async () => {
          if (signatures++ === 0) subnet.dev.upgrade(run % 2 === 0 ? 425 : 343)
        },
      })
      expect(result).toMatchObject({ kind: 'set' })
      expect(signatures).toBe(2)
      tally.count++
    }
  })

  it('sends nothing and reports why when the new runtime lacks the calls', async ({ task }) => {
    const tally = startTally(task, { fault: 'F17', kind: 'runtime upgrades without the calls', full: 100 })
    const chain = await subnet.connect()
    const signer = await hotkeyOf(0)
    for (let run = 0; run < scaled(100, 2); run++) {
      subnet.dev.upgrade(run % 2 === 0 ? 425 : 343, ['set_weights', 'set_mechanism_weights'])
      await expect(chain.setWeights(signer, { netuid: 4, ...vector })).rejects.toMatchObject({
        ...{ code: 'CHAIN_CALL_GONE', fault: 'chain' },
      })
      tally.count++
    }
    expect((await chain.weightsStatus(4, signer.address)).nonce).toBe(0)
  })

  it('control: weights signed only once are lost', async () => {
    const link = await openLink(subnet.dev.url, { clock: systemClock, rpcTimeoutMs: 8000 })
    const call = directCall(link, { netuid: 4, versionKey: 0 }, [{ uid: 1, weightU16: 65_535 }])
    const signed = await signCall(link, await hotkeyOf(0), call)
    subnet.dev.upgrade(425)
    if (!signed) throw new Error('not signed')
    expect(await submitExtrinsic(link, signed, systemClock, 2000)).toMatchObject({ kind: 'refused' })
    link.rpc.close()
  })
})

describe('block numbers with gaps, repeats and re-orgs (F18)', () => {
  const EPOCH = 10

  /** Up to 40 steps: mostly one block forward, some far ahead, some back. */
  const steps = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.integer({ min: -6, max: 25 }) },
    ),
    { minLength: 5, maxLength: 40 },
  )

  /** The epochs the task acted on, and those the block numbers reached after the first. */
  async function follow(moves: readonly number[]) {
    const stream = createHeadStream()
    const end = new AbortController()
    const acted: number[] = []
    const jobs = {
      setWeights: async ({ index }: { index: number }) => {
        acted.push(index)
        return { kind: 'done' } as const
      },
      ...{
        resync: settled,
        refreshModels: settled,
        refreshEngines: settled,
        broadcast: settled,
        finish: settled,
      },
    }
    const task = new EpochTask(
      {
        ...{ clock: new ManualClock(), log: pino({ level: 'silent' }), epochLength: EPOCH, jobs },
        ...{ startBlock: 5, weightsDueAtStart: false },
      },
      end.signal,
    )
    const reading = (async () => {
      for await (const head of stream.read(end.signal)) task.onHead(head)
    })()
    let number = 5
    const touched = new Set<number>()
    const naive: number[] = []
    for (const move of moves) {
      number = Math.max(0, number + move)
      stream.publish({ number, hash: `0x${number}` })
      await settle()
      const { index } = epochAt(stream.latest?.number ?? 0, EPOCH)
      if (index > 0) touched.add(index)
      if (number % EPOCH === 0) naive.push(index)
    }
    end.abort()
    await reading
    return { acted, touched: [...touched], naive }
  }

  it('acts on each epoch exactly once; control: `block % length == 0` misses some and repeats others', async ({
    task,
  }) => {
    const tally = startTally(task, {
      fault: 'F18',
      kind: 'sequences of block numbers',
      full: 10_000,
      isDrawn: true,
    })
    let [missed, repeated] = [0, 0]
    await fc.assert(
      fc.asyncProperty(steps, async (moves) => {
        const { acted, touched, naive } = await follow(moves)
        expect(acted).toEqual(touched)
        tally.count++
        if (touched.some((epoch) => !naive.includes(epoch))) missed++
        if (new Set(naive).size < naive.length) repeated++
      }),
      { numRuns: scaled(tally.full, 200), seed: GAUNTLET_SEED },
    )
    expect(missed).toBeGreaterThan(0)
    expect(repeated).toBeGreaterThan(0)
  })
})

async function settled(): Promise<void> {}
