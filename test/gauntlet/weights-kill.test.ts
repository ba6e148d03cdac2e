import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { subtensor } from '../../src/localnet/chain/runtime/index.js'
import { type Subnet, startSubnet } from '../chain/subnet.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { scaled } from './scale.js'
import { drawsOf } from './seed.js'
import { startTally } from './tally.js'

const EPOCH_BLOCKS = 60
/** Blocks after the start of an epoch within which validators are killed; about the duration of a submission. */
const KILL_BLOCKS = 12
/** Per rate limit; 500 in total. */
const KILLS = scaled(250, 4, 4)
/** Killed and started together. */
const VALIDATORS = Math.min(4, KILLS)
/** Without a rate limit the chain would accept a second submission; with one, none may be too fast. */
const RATE_LIMITS = KILLS < 50 ? [0] : [0, 20]

let subnet: Subnet
let folder: string
let validators: Validator[]

/** A hotkey and the process that currently uses it. */
interface Validator {
  readonly uid: number
  readonly output: string[]
  readonly updates: Set<number>
  process?: ChildProcess
}

async function startAll(weightsSetRateLimit: number, count = VALIDATORS): Promise<void> {
  const signers = await Promise.all(Array.from({ length: count + 2 }, (_, seed) => hotkeyOf(seed)))
  subnet = await startSubnet({
    sealing: 'manual',
    weightsSetRateLimit,
    neurons: signers.map(({ publicKey }, uid) => ({
      ...{ hotkey: publicKey, coldkey: publicKey },
      stakeTao: uid < count ? 1000 : 0,
      validatorPermit: uid < count,
    })),
  })
  validators = signers.slice(0, count).map((_, uid) => ({ uid, output: [], updates: new Set<number>() }))
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kill-'))
})
afterEach(async () => {
  await Promise.all(validators.map(kill))
  await subnet.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(validator: Validator, mode = ''): Promise<void> {
  const ledger = join(folder, `${validator.uid}`, 'weights.json')
  const args = [subnet.dev.url, ledger, String(EPOCH_BLOCKS), String(validator.uid), mode]
  const worker = spawn(process.execPath, [inject('scripts')['weights-worker'], ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  validator.process = worker
  const lines = createInterface(worker.stdout)
  lines.on('line', (line) => validator.output.push(line))
  await once(lines, 'line')
}

async function kill({ process: worker }: Validator): Promise<void> {
  if (!worker || worker.exitCode !== null || worker.signalCode !== null) return
  worker.kill('SIGKILL')
  await once(worker, 'exit')
}

const head = () => subnet.dev.chain.head.number
const epochOf = (block: number) => Math.floor(block / EPOCH_BLOCKS)

function makeBlock(): void {
  subnet.dev.chain.produceBlock()
  for (const [uid, block] of subnet.dev.chain.storage.get(subtensor.LastUpdate, 4).entries()) {
    if (block > 0n) validators[uid]?.updates.add(Number(block))
  }
}

/** Produces blocks at this pace, gradually slower for a busy machine, until block `until` or `isDone`. */
async function makeBlocks(until: number, paceMs: number, isDone = () => false): Promise<void> {
  for (let made = 0; head() < until && !isDone(); made++) {
    makeBlock()
    await systemClock.sleep(paceMs * Math.max(1, made / 10))
  }
}

const isSet = (epoch: number) => validators.every(({ updates }) => [...updates].map(epochOf).includes(epoch))

/** Kills every validator at a random moment around the submission of the next epoch and restarts it within the epoch. */
async function killAround(epoch: number): Promise<void> {
  const boundary = epoch * EPOCH_BLOCKS
  while (head() < boundary - 1) makeBlock()
  const killed = validators.map(async (validator) => {
    const at = boundary + drawsOf(`epoch ${epoch} validator ${validator.uid}`).next() * KILL_BLOCKS
    while (head() < Math.floor(at)) await systemClock.sleep(10)
    await kill(validator)
  })
  await makeBlocks(boundary + KILL_BLOCKS, 150)
  await Promise.all(killed)
  // a restart takes seconds of the 72 minutes of an epoch: no blocks until then; the pool keeps its transactions
  await Promise.all(validators.map((validator) => start(validator)))
  await makeBlocks(boundary + EPOCH_BLOCKS - 8, 300, () => isSet(epoch))
}

describe('kill -9 around the submission (F13)', () => {
  it.for(RATE_LIMITS)(
    'every epoch gets weights exactly once, and no attempt is too fast (rate limit %i blocks)',
    { timeout: 3_600_000 },
    async (rateLimit, { task }) => {
      const kind = `kill -9 around a submission, rate limit ${rateLimit}`
      const tally = startTally(task, { fault: 'F13', kind, full: 252, isDrawn: true })
      await startAll(rateLimit)
      await Promise.all(validators.map((validator) => start(validator)))
      await makeBlocks(EPOCH_BLOCKS - 8, 300, () => isSet(0) && head() > 20)
      const rounds = Math.ceil(KILLS / VALIDATORS)
      for (let epoch = 1; epoch <= rounds; epoch++) {
        await killAround(epoch)
        tally.count += VALIDATORS
      }
      const expected = Array.from({ length: rounds + 1 }, (_, epoch) => epoch)
      for (const { uid, updates, output } of validators) {
        expect.soft([...updates].map(epochOf), `epochs of validator ${uid}`).toEqual(expected)
        expect.soft(output.filter((line) => line.startsWith('refused too-fast'))).toEqual([])
      }
    },
  )

  it('control: without a ledger an epoch gets weights twice', async () => {
    await startAll(0, 2)
    await Promise.all(validators.map((validator) => start(validator, 'naive')))
    await makeBlocks(EPOCH_BLOCKS - 8, 300, () => isSet(0))
    await Promise.all(validators.map(kill))
    await Promise.all(validators.map((validator) => start(validator, 'naive')))
    await makeBlocks(EPOCH_BLOCKS - 8, 300, () => validators.every(({ updates }) => updates.size > 1))
    for (const { updates } of validators) expect([...updates].map(epochOf)).toEqual([0, 0])
  }, 300_000)
})
