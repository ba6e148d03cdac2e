import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWeightsPipeline, type WeightsChain, type WeightsPipeline } from '../../src/chain/index.js'
import { REFUSAL_CLASSES, type RefusalClass } from '../../src/chain/refusal.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { aboutItem, startLyingEndpoint } from '../support/lying-endpoint.js'
import { Crash, type Fate, SimulatedChain } from './simulated-chain.js'
import { type RecordedLog, recordLog, type Subnet, startSubnet } from './subnet.js'

let folder: string
let signer: Signer
let pipeline: WeightsPipeline | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refused-weights-'))
  signer = await hotkeyOf(1)
})
afterEach(async () => {
  await pipeline?.close()
  pipeline = undefined
  await rm(folder, { recursive: true, force: true })
})

const vector = { uids: [2], scores: [1], versionKey: 1 }

async function open(chain: WeightsChain, { isAlone = false, log }: { isAlone?: boolean; log: RecordedLog }) {
  pipeline = await openWeightsPipeline({
    ...{ chain, signer, netuid: 4, isAlone, log, clock: systemClock, lockTimes: { waitMs: 0 } },
    ledgerPath: join(folder, 'weights.json'),
    signal: new AbortController().signal,
  })
  return pipeline
}

describe('WeightsPipeline: refused tries and restarts (T-W1)', () => {
  const EPOCH = 60
  const classes = REFUSAL_CLASSES as RefusalClass[]
  const places = ['client', 'pool', 'block'] as const
  type Step = { readonly class: RefusalClass; readonly by: (typeof places)[number] } | 'skip' | Fate

  /** One epoch with a step per process, each followed by a restart; then one try that must succeed or find its weights. */
  async function runEpoch(chain: SimulatedChain, log: RecordedLog, steps: readonly Step[]) {
    const begin = chain.block
    for (const step of [...steps, 'included' as const]) {
      const weights = await open(chain, { log })
      if (step === 'skip') await weights.skip(1, 'nothing-scorable')
      else {
        if (typeof step === 'string') chain.fates = [step]
        else chain.refusals = [step]
        await weights.attempt(1, vector).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error
        })
      }
      await weights.close()
      Object.assign(chain, { fates: [], refusals: [] })
      chain.advance(2)
    }
    expect(chain.accepted.filter((block) => block > begin)).toHaveLength(1)
  }

  /** A validator that has set the weights of epoch 0. */
  async function seasoned(log: RecordedLog): Promise<SimulatedChain> {
    await rm(join(folder, 'weights.json'), { force: true })
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: true, log })
    await weights.attempt(0, vector)
    await weights.close()
    chain.advance(EPOCH)
    return chain
  }

  it.each(classes.flatMap((name) => places.map((by) => [name, by] as const)))(
    'keeps its ledger and sets weights once after the refusal %s by the %s',
    async (name, by) => {
      const log = recordLog()
      await runEpoch(await seasoned(log), log, [{ class: name, by }])
      expect(log.lines.map(({ event }) => event)).not.toContain('weights-ledger-quarantined')
    },
  )

  it('keeps its ledger and sets weights once, whatever the order of refusals, skips, crashes and restarts', async () => {
    const step = fc.oneof(
      fc.record({ class: fc.constantFrom(...classes), by: fc.constantFrom(...places) }),
      fc.constantFrom<Step>('skip', 'included', 'lost', 'late', 'crash-landed', 'crash-lost', 'failed'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
        const log = recordLog()
        await runEpoch(await seasoned(log), log, steps)
        expect(log.lines.map(({ event }) => event)).not.toContain('weights-ledger-quarantined')
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})

describe('WeightsPipeline: what a chain refuses, across a restart (T-W1)', () => {
  let subnet: Subnet
  afterEach(() => subnet.close())

  const version = { weightsVersionKey: 404_010 }
  const refusals: readonly [
    RefusalClass,
    Parameters<typeof startSubnet>[0],
    uid: number,
    Partial<Parameters<WeightsPipeline['attempt']>[1]>,
  ][] = [
    ['too-fast', { weightsSetRateLimit: 1000 }, 0, {}],
    ['window-closing', {}, 0, { window: { fromBlock: 0, untilBlock: 101 } }],
    ['version-key', version, 0, { versionKey: 404_009 }],
    ['no-permit', {}, 3, {}],
    ['stake', { stakeThresholdTao: 5000 }, 0, {}],
    ['not-registered', {}, 99, {}],
    ['commit-reveal-mismatch', { commitReveal: true }, 0, {}],
  ]

  it.each(refusals)('keeps the ledger after %s', async (name, options, uid, changes) => {
    subnet = await startSubnet({ sealing: 'auto', weightsSetRateLimit: 0, ...options })
    for (let made = 0; made < 100; made++) subnet.dev.chain.produceBlock()
    const liar = await startLyingEndpoint(subnet.dev.url)
    if (name === 'commit-reveal-mismatch')
      liar.lies.set(
        'state_getStorage',
        aboutItem('CommitRevealWeightsEnabled', () => '0x00'),
      )
    const chain = await subnet.connect({ endpoints: [liar.url] })
    signer = await hotkeyOf(uid)
    const log = recordLog()
    const weights = await open(chain, { isAlone: true, log })
    const refused = { kind: 'refused', refusal: { class: name } }
    const given = { uids: [2, 3], scores: [1, 0.5], versionKey: 404_010, ...changes }
    expect(await weights.attempt(1, given)).toMatchObject(refused)
    await weights.close()
    const again = await open(chain, { isAlone: true, log })
    expect(await again.attempt(1, given)).toMatchObject(refused)
    await again.close()
    await liar.close()
    expect(log.lines).toEqual([])
    expect(await readdir(folder)).toEqual(['weights.json'])
  })
})
