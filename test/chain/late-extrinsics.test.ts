import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWeightsPipeline, type SubtensorClient, type WeightsPipeline } from '../../src/chain/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { aboutItem, type LyingEndpoint, startLyingEndpoint } from '../support/lying-endpoint.js'
import { type Subnet, startSubnet } from './subnet.js'

let folder: string
let subnet: Subnet
let relay: LyingEndpoint
let chain: SubtensorClient
let pipeline: WeightsPipeline

const vector = { uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }

/** Blocks are produced on request only, so that a test decides what lands between which steps. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'late-'))
  subnet = await startSubnet({ sealing: 'manual', weightsSetRateLimit: 0 })
  for (let made = 0; made < 5; made++) subnet.dev.chain.produceBlock()
  relay = await startLyingEndpoint(subnet.dev.url)
  chain = await subnet.connect({ endpoints: [relay.url, subnet.dev.url], inclusionTimeoutMs: 300 })
  pipeline = await openPipeline()
})

afterEach(async () => {
  await pipeline.close()
  await subnet.close()
  await relay.close()
  await rm(folder, { recursive: true, force: true })
})

async function openPipeline(): Promise<WeightsPipeline> {
  return openWeightsPipeline({
    chain,
    signer: await hotkeyOf(0),
    netuid: 4,
    ledgerPath: join(folder, 'weights.json'),
    clock: systemClock,
    log: subnet.log,
    signal: new AbortController().signal,
  })
}

/** Extrinsics of the validator included in blocks. */
async function included(): Promise<number> {
  return (await chain.weightsStatus(4, subnet.signers[0]?.address ?? '')).nonce
}

describe('an extrinsic that lands late, during the next attempt (F13, T-W1)', () => {
  beforeEach(async () => {
    expect(await pipeline.attempt(1, vector)).toMatchObject({ kind: 'unconfirmed' })
    expect(subnet.dev.chain.pool.entries).toHaveLength(1)
  })

  it.each([
    ['before the next attempt reads the rules', 'state_getStorage'],
    ['before the next attempt connects', 'state_getRuntimeVersion'],
    ['before the next one is signed', 'chain_getFinalizedHead'],
    ['before the next one is sent', 'author_submitAndWatchExtrinsic'],
  ])('%s: the chain accepts only one of the two', async (_, method) => {
    let landed = false
    relay.before.set(method, () => {
      if (!landed) subnet.dev.chain.produceBlock()
      landed = true
    })
    await pipeline.attempt(1, vector)
    expect(landed).toBe(true)
    relay.before.clear()
    for (let made = 0; made < 3; made++) subnet.dev.chain.produceBlock()
    expect(await included()).toBe(1)
    expect(await pipeline.attempt(1, vector)).toMatchObject({ kind: 'already-set' })
    expect(await included()).toBe(1)
  })

  it('is recognised as ours after the next attempt was refused (T-W3)', async () => {
    relay.lies.set(
      'state_getStorage',
      aboutItem('SubnetworkN', () => '0x0003'),
    )
    expect(await pipeline.attempt(1, vector)).toMatchObject({ kind: 'refused' })
    relay.lies.clear()
    subnet.dev.chain.produceBlock()
    expect(await pipeline.attempt(1, vector)).toMatchObject({ kind: 'already-set' })
  })

  it('is recognised as ours after the epoch was skipped', async () => {
    await pipeline.skip(1, 'nothing-scorable')
    subnet.dev.chain.produceBlock()
    expect(await pipeline.attempt(1, vector)).toMatchObject({ kind: 'already-set' })
  })

  it('is found after a restart', async () => {
    await pipeline.close()
    pipeline = await openPipeline()
    subnet.dev.chain.produceBlock()
    expect(await pipeline.attempt(1, vector)).toMatchObject({ kind: 'already-set' })
  })
})

describe('an extrinsic that stays in the pool (F13)', () => {
  const window = { fromBlock: 0, untilBlock: 40 }

  it('expires on chain before the next epoch', async () => {
    expect(await pipeline.attempt(0, { ...vector, window })).toMatchObject({ kind: 'unconfirmed' })
    const [waiting] = subnet.dev.chain.pool.entries
    expect(waiting?.validity.deathBlock).toBeLessThanOrEqual(40)
    expect(waiting?.validity.deathBlock).toBeGreaterThan(20)
    // A block producer that holds it back and submits it again later.
    for (const { hash } of subnet.dev.chain.pool.entries) subnet.dev.chain.pool.remove(hash)
    while (subnet.dev.chain.head.number < 39) subnet.dev.chain.produceBlock()
    expect(() => subnet.dev.chain.submit(waiting?.extrinsic.bytes ?? new Uint8Array())).toThrow(
      /1010|Invalid/,
    )
    expect(await included()).toBe(0)
  })

  it('is not sent when the epoch is nearly over', async () => {
    while (subnet.dev.chain.head.number < 36) subnet.dev.chain.produceBlock()
    expect(await pipeline.attempt(0, { ...vector, window })).toMatchObject({
      kind: 'refused',
      refusal: { class: 'window-closing' },
    })
    expect(subnet.dev.chain.pool.entries).toEqual([])
  })
})

it('weights land even when finality has stalled', async () => {
  const stuck = await startSubnet({ sealing: 'interval', blockTimeMs: 50, finalityLag: 10_000 })
  try {
    const client = await stuck.connect()
    for await (const { number } of client.blocks(new AbortController().signal)) if (number > 70) break
    const result = await client.setWeights(await hotkeyOf(0), { netuid: 4, ...vector })
    expect(result).toMatchObject({ kind: 'set' })
  } finally {
    await stuck.close()
  }
})
