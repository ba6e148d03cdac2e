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

const EPOCH_BLOCKS = 60
/** Blocks after the beginning of an epoch within which everyone is killed: about as long as a submission takes. */
const KILL_BLOCKS = 12
/** For each rate limit: 500 in all. */
const KILLS = scaled(250, 4, 4)
/** Killed and started together. */
const VALIDATORS = Math.min(4, KILLS)
/** The chain's own limit must not be what keeps the second submission out, nor may it be met. */
const RATE_LIMITS = KILLS < 50 ? [0] : [0, 20]

let subnet: Subnet
let folder: string
let validators: Validator[]

/** One hotkey, and the process that uses it at the moment. */
interface Validator {
  readonly uid: number
  readonly told: string[]
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
  validators = signers.slice(0, count).map((_, uid) => ({ uid, told: [], updates: new Set<number>() }))
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kill-'))
})
afterEach(async () => {
  await Promise.all(validators.map(kill))
  await subnet.close()
  await rm(folder, { recursive: true, force: true })
})

async function revive(validator: Validator, mode = ''): Promise<void> {
  const ledger = join(folder, `${validator.uid}`, 'weights.json')
  const args = [subnet.dev.url, ledger, String(EPOCH_BLOCKS), String(validator.uid), mode]
  const worker = spawn(process.execPath, [inject('scripts')['weights-worker'], ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  validator.process = worker
  const lines = createInterface(worker.stdout)
  lines.on('line', (line) => validator.told.push(line))
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

/** Makes blocks at this pace until one is reached, or `isDone`; ever slower, since a busy machine is no fast chain. */
async function makeBlocks(until: number, paceMs: number, isDone = () => false): Promise<void> {
  for (let made = 0; head() < until && !isDone(); made++) {
    makeBlock()
    await systemClock.sleep(paceMs * Math.max(1, made / 10))
  }
}

const isSet = (epoch: number) => validators.every(({ updates }) => [...updates].map(epochOf).includes(epoch))

/** Everyone is killed somewhere around the submission of the next epoch, and started again within it. */
async function killAround(epoch: number): Promise<void> {
  const boundary = epoch * EPOCH_BLOCKS
  while (head() < boundary - 1) makeBlock()
  const killed = validators.map(async (validator) => {
    const at = boundary + Math.random() * KILL_BLOCKS
    while (head() < Math.floor(at)) await systemClock.sleep(10)
    await kill(validator)
  })
  await makeBlocks(boundary + KILL_BLOCKS, 150)
  await Promise.all(killed)
  // A restart takes seconds of an epoch's 72 minutes: the chain waits for it, and keeps what its pool holds.
  await Promise.all(validators.map((validator) => revive(validator)))
  await makeBlocks(boundary + EPOCH_BLOCKS - 8, 300, () => isSet(epoch))
}

describe('kill -9 around the submission (F13)', { retry: 0 }, () => {
  it.each(RATE_LIMITS)(
    'every epoch is set once, none twice, and none is tried too fast (rate limit %i blocks)',
    async (rateLimit) => {
      await startAll(rateLimit)
      await Promise.all(validators.map((validator) => revive(validator)))
      await makeBlocks(EPOCH_BLOCKS - 8, 300, () => isSet(0) && head() > 20)
      const rounds = Math.ceil(KILLS / VALIDATORS)
      for (let epoch = 1; epoch <= rounds; epoch++) await killAround(epoch)
      const expected = Array.from({ length: rounds + 1 }, (_, epoch) => epoch)
      for (const { uid, updates, told } of validators) {
        expect.soft([...updates].map(epochOf), `epochs of validator ${uid}`).toEqual(expected)
        expect.soft(told.filter((line) => line.startsWith('refused too-fast'))).toEqual([])
      }
    },
    1_800_000,
  )

  it('without a ledger an epoch is set twice', async () => {
    await startAll(0, 2)
    await Promise.all(validators.map((validator) => revive(validator, 'naive')))
    await makeBlocks(EPOCH_BLOCKS - 8, 300, () => isSet(0))
    await Promise.all(validators.map(kill))
    await Promise.all(validators.map((validator) => revive(validator, 'naive')))
    await makeBlocks(EPOCH_BLOCKS - 8, 300, () => validators.every(({ updates }) => updates.size > 1))
    for (const { updates } of validators) expect([...updates].map(epochOf)).toEqual([0, 0])
  }, 300_000)
})
