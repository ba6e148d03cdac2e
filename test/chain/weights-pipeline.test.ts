import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  openWeightsPipeline,
  type WeightsChain,
  type WeightsPipeline,
  type WeightsStatus,
} from '../../src/chain/index.js'
import { openLedger } from '../../src/chain/ledger/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
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

const RATE_LIMIT = 10

/** What happens to a submission. `crash` cuts the process between signing and the answer. */
type Fate = 'included' | 'lost' | 'late' | 'crash-landed' | 'crash-lost' | 'failed'

class Crash extends Error {}

/** The rules of the chain that matter here: nonces, the rate limit and LastUpdate. */
class SimulatedChain implements WeightsChain {
  readonly genesisHash = '0x00'
  block = 100
  lastUpdate = 0
  nonce = 0
  fates: Fate[] = []
  readonly accepted: number[] = []
  readonly tooFast: number[] = []
  /** Signed and still in the pool: the nonce, and the block that takes it. */
  #pool: { nonce: number; due: number }[] = []
  /** Blocks a late extrinsic waits in the pool. */
  poolBlocks = 1
  stored: { uid: number; weightU16: number }[] = []
  commit = false
  rateLimit = RATE_LIMIT
  /** Blocks made between the decision and the signature, by call. */
  delays: number[] = []
  /** Signs with the nonce of now instead of the one decided on. */
  isNaive = false

  head = () => ({ number: this.block, hash: '0x' })
  weightsOf = async () => this.stored

  async weightsStatus(): Promise<WeightsStatus> {
    return {
      block: this.block,
      uid: 1,
      lastUpdateBlock: this.lastUpdate,
      rateLimitBlocks: this.rateLimit,
      nonce: this.nonce,
    }
  }

  advance(blocks = 1): void {
    for (let made = 0; made < blocks; made++) {
      this.block++
      for (const { nonce, due } of this.#pool) if (due === this.block) this.#include(nonce)
      this.#pool = this.#pool.filter(({ due }) => due > this.block)
    }
  }

  /** Another process with the same hotkey: an account's extrinsics are counted whoever sends them. */
  setByStranger(): void {
    this.lastUpdate = this.block
    this.nonce++
  }

  /** A re-org takes what is in the newest block out of it, and the next block takes it in again. */
  reorganise(): void {
    this.block++
    this.lastUpdate++
    this.accepted.push((this.accepted.pop() ?? 0) + 1)
  }

  #include(nonce: number): boolean {
    if (nonce !== this.nonce) return false
    this.nonce++
    if (this.block - this.lastUpdate < this.rateLimit) {
      this.tooFast.push(this.block)
      return false
    }
    this.lastUpdate = this.block
    this.accepted.push(this.block)
    return true
  }

  setWeights: WeightsChain['setWeights'] = async (_signer, request) => {
    this.advance(this.delays.shift() ?? 0)
    if (this.block - this.lastUpdate < this.rateLimit) {
      return { kind: 'refused', refusal: { class: 'too-fast', name: 'SettingWeightsTooFast', detail: '' } }
    }
    const entries = [{ uid: 2, weightU16: 65_535 }]
    const nonce = this.isNaive ? this.nonce : (request.nonce ?? this.nonce)
    await request.onSigned?.({ hash: '0x01', nonce, path: this.commit ? 'commit' : 'direct', entries })
    if (nonce < this.nonce) {
      return { kind: 'refused', refusal: { class: 'stale', name: 'pool 1010 outdated', detail: '' } }
    }
    const fate = this.fates.shift() ?? 'included'
    if (fate === 'crash-lost') throw new Crash()
    if (fate === 'crash-landed' || fate === 'late') {
      this.#pool.push({ nonce, due: this.block + this.poolBlocks })
    }
    if (fate === 'crash-landed') throw new Crash()
    if (fate === 'lost' || fate === 'late') return { kind: 'unconfirmed', reason: fate }
    this.block++
    if (fate === 'failed') {
      this.nonce++
      return { kind: 'refused', refusal: { class: 'other', name: 'Failed', detail: '' } }
    }
    this.#include(nonce)
    const reveal = this.commit ? { revealBlock: this.block + 20, revealRound: 1 } : {}
    return { kind: 'set', block: this.block, path: 'direct', hash: '0x01', entries, ...reveal }
  }
}

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

describe('one epoch', () => {
  it('is set once, and asking again changes nothing', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: true })
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set', block: 101 })
    chain.advance(50)
    expect(await weights.attempt(1, vector)).toEqual({ kind: 'already-set', block: 101 })
    expect(chain.accepted).toEqual([101])
  })

  it('skipped is noted and does not stop a later try', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: true })
    await weights.skip(1, 'nothing-scorable')
    expect(JSON.parse(await readFile(join(folder, 'weights.json'), 'utf8')).entries).toMatchObject([
      { epoch: 1, status: 'skipped', reason: 'nothing-scorable' },
    ])
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set' })
  })

  it('set before is not forgotten by skipping later', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: true })
    await weights.attempt(1, vector)
    await weights.skip(1, 'nothing-scorable')
    chain.advance(50)
    expect(await weights.attempt(1, vector)).toEqual({ kind: 'already-set', block: 101 })
  })

  it('the ledger is private and leaves nothing half-written', async () => {
    const weights = await open(new SimulatedChain(), { isAlone: true })
    await weights.attempt(1, vector)
    expect((await stat(join(folder, 'weights.json'))).mode & 0o777).toBe(0o600)
    expect((await readdir(folder)).sort()).toEqual(['weights.json', 'weights.json.lock'])
  })
})

describe('crashes and losses (F13, T-W4)', () => {
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
    'at most one accepted submission per epoch, none missed, whatever happens (rate limit %i)',
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

  it('the nonce of now instead of the one decided on sets twice: what the rule above is for', async () => {
    const overtaken = { rateLimit: 0, poolBlocks: 3, fates: ['late'], delays: [0, 2] }
    const chain = Object.assign(new SimulatedChain(), structuredClone(overtaken))
    expect(await runEpochs(chain, 0)).toEqual([1, 1, 1, 1])
    const naive = Object.assign(new SimulatedChain(), structuredClone(overtaken), { isNaive: true })
    expect((await runEpochs(naive, 0))[0]).toBe(2)
  })

  it('what landed while the process was dead is found, not sent again', async () => {
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

describe('doppelganger (F15, T-W3)', () => {
  it('no ledger yet: weights are held for one rate-limit window, then set', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain)
    const held = { kind: 'held', untilBlock: 110, reason: 'doppelganger-watch' }
    expect(await weights.attempt(1, vector)).toEqual(held)
    chain.advance(9)
    expect(await weights.attempt(1, vector)).toEqual(held)
    chain.advance(1)
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set' })
  })

  it('someone else sets weights meanwhile: stop, exit 7', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain)
    chain.advance(3)
    chain.setByStranger()
    await expect(weights.attempt(1, vector)).rejects.toMatchObject({
      code: 'HOTKEY_IN_USE',
      fault: 'hotkey-in-use',
    })
    expect(chain.accepted).toEqual([])
  })

  it('someone else begins later: noticed before our next submission', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain, { isAlone: false })
    chain.advance(RATE_LIMIT)
    await weights.attempt(1, vector)
    chain.advance(20)
    chain.setByStranger()
    chain.advance(20)
    await expect(weights.attempt(2, vector)).rejects.toMatchObject({ code: 'HOTKEY_IN_USE' })
  })

  it('the operator may vouch: no holding', async () => {
    const weights = await open(new SimulatedChain(), { isAlone: true })
    expect(await weights.attempt(1, vector)).toMatchObject({ kind: 'set' })
  })

  it('a ledger that explains the chain needs no watch; one that does not, does', async () => {
    const chain = new SimulatedChain()
    let weights = await open(chain, { isAlone: true })
    await weights.attempt(1, vector)
    await weights.close()
    chain.advance(40)
    weights = await open(chain)
    expect(await weights.attempt(2, vector)).toMatchObject({ kind: 'set' })
    await weights.close()
    chain.advance(40)
    chain.setByStranger()
    chain.advance(10)
    weights = await open(chain)
    expect(await weights.attempt(3, vector)).toMatchObject({ kind: 'held' })
  })
})

describe('LastUpdate moves without anybody else (T-C3, T-W3)', () => {
  it('a re-org put our extrinsic into another block: we go on', async () => {
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

  it('a commit was revealed after commit-reveal was switched off: we go on', async () => {
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

  it('but a stranger after a re-org is still seen', async () => {
    const chain = new SimulatedChain()
    const weights = await open(chain)
    chain.advance(RATE_LIMIT)
    await weights.attempt(1, vector)
    chain.reorganise()
    chain.advance(20)
    chain.setByStranger()
    chain.advance(20)
    await expect(weights.attempt(2, vector)).rejects.toMatchObject({ code: 'HOTKEY_IN_USE' })
  })
})

describe('commits', () => {
  it('a vector that was not revealed is reported once', async () => {
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

describe('ledger file', () => {
  const owner = { hotkey: 'h', netuid: 4, genesisHash: '0x' }
  const entry = { epoch: 3, status: 'confirmed', block: 9 } as const
  const path = () => join(folder, 'ledger.json')

  it('reads back what it wrote, newest first', async () => {
    const ledger = await openLedger(path(), owner)
    expect(ledger.hasHistory).toBe(false)
    await Promise.all([ledger.write(entry), ledger.write({ ...entry, epoch: 4 })])
    const again = await openLedger(path(), owner)
    expect(again.hasHistory).toBe(true)
    expect(again.entries.map(({ epoch }) => epoch)).toEqual([4, 3])
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, -10)],
    ['one digit changed', (text: string) => text.replace('"block":9', '"block":8')],
    ['empty', () => ''],
  ])('%s: set aside, never believed', async (_, damage) => {
    await (await openLedger(path(), owner)).write(entry)
    await writeFile(path(), damage(await readFile(path(), 'utf8')))
    const told: string[] = []
    const ledger = await openLedger(path(), owner, (file, reason) => told.push(`${reason} ${file}`))
    expect(ledger.hasHistory).toBe(false)
    expect(told).toEqual([`damaged ${path()}.damaged`])
  })

  it('the ledger of another hotkey or chain says nothing here', async () => {
    await (await openLedger(path(), owner)).write(entry)
    expect((await openLedger(path(), { ...owner, hotkey: 'other' })).hasHistory).toBe(false)
  })

  it('sweeps what a killed writer left', async () => {
    await writeFile(join(folder, 'ledger.json.partial'), 'x')
    await openLedger(path(), owner)
    expect(await readdir(folder)).toEqual([])
  })
})
