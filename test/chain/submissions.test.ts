import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { buildCall, subtensorCall } from '../../src/chain/call.js'
import { openWeightsPipeline } from '../../src/chain/index.js'
import { openLink } from '../../src/chain/link.js'
import { systemClock } from '../../src/kernel/clock.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet

afterEach(() => subnet.close())

const vector = { netuid: 4, uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }
const entries = [
  { uid: 2, weightU16: 65_535 },
  { uid: 3, weightU16: 32_768 },
]

/** The chain as it is some blocks on. */
function makeBlocks(count: number): void {
  for (let made = 0; made < count; made++) subnet.dev.chain.produceBlock()
}

describe('commit-reveal on a chain that really opens commits', () => {
  it('the vector shows on chain once its epoch has come', async () => {
    subnet = await startSubnet({
      sealing: 'interval',
      blockTimeMs: 100,
      commitReveal: true,
      tempo: 20,
      beaconPeriodSeconds: 1,
    })
    const chain = await subnet.connect()
    makeBlocks(5)
    const result = await chain.setWeights(await hotkeyOf(0), vector)
    expect(result).toMatchObject({ kind: 'set', path: 'commit', entries })
    expect(await chain.weightsOf(4, 0)).toEqual([])
    await expect.poll(() => chain.weightsOf(4, 0), { interval: 300 }).toEqual(entries)
  })
})

describe('a submission that goes wrong is made good within the window (T-W4)', () => {
  it.each(['banned', 'priority', 'stale', 'swallowed', 'lost-reply'] as const)(
    '%s',
    async (fault) => {
      const folder = await mkdtemp(join(tmpdir(), 'submissions-'))
      subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100, weightsSetRateLimit: 20 })
      const chain = await subnet.connect({ inclusionTimeoutMs: 600 })
      makeBlocks(21)
      const end = new AbortController()
      const pipeline = await openWeightsPipeline({
        chain,
        signer: await hotkeyOf(0),
        netuid: 4,
        ledgerPath: join(folder, 'weights.json'),
        isAlone: true,
        clock: systemClock,
        log: subnet.log,
        signal: end.signal,
      })
      subnet.dev.faults.failSubmissions(fault, 2)
      let tries = 0
      for await (const _ of chain.blocks(end.signal)) {
        tries++
        const result = await pipeline.attempt(1, vector)
        if (result.kind === 'set' || result.kind === 'already-set') end.abort()
      }
      expect(await chain.weightsOf(4, 0)).toEqual(entries)
      expect(await pipeline.attempt(1, vector)).toMatchObject({ kind: 'already-set' })
      expect(tries).toBeLessThan(10)
      expect((await chain.weightsStatus(4, subnet.signers[0]?.address ?? '')).nonce).toBe(1)
      await pipeline.close()
      await rm(folder, { recursive: true })
    },
    90_000,
  )
})

describe('runtime upgrade (T-C2, F17)', () => {
  it('between signing and sending: signed anew once, and it lands', async () => {
    subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100, specVersion: 343 })
    const chain = await subnet.connect()
    makeBlocks(5)
    let signatures = 0
    const result = await chain.setWeights(await hotkeyOf(0), {
      ...vector,
      onSigned: async () => {
        if (signatures++ === 0) subnet.dev.upgrade(425)
      },
    })
    expect(result).toMatchObject({ kind: 'set' })
    expect(signatures).toBe(2)
  })

  it('while reading: the connection follows to the new runtime, on the same endpoint', async () => {
    subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100, specVersion: 343 })
    const chain = await subnet.connect()
    expect(chain.specVersion).toBe(343)
    subnet.dev.upgrade(425)
    await expect.poll(() => chain.specVersion).toBe(425)
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
    expect(chain.endpoint).toBe(subnet.dev.url)
  })

  it('a call that is gone, or wants what we do not know, is an alarm and nothing is sent', async () => {
    subnet = await startSubnet()
    const link = await openLink(subnet.dev.url, { clock: systemClock, rpcTimeoutMs: 8000 })
    const gone = () => buildCall(link.runtime, subtensorCall('set_weights_of_old', {}))
    expect(gone).toThrow(expect.objectContaining({ code: 'CHAIN_CALL_GONE', fault: 'chain' }))
    const changed = () =>
      buildCall(link.runtime, subtensorCall('set_weights', { netuid: 4, dests: [], weights: [] }))
    expect(changed).toThrow(
      expect.objectContaining({ facts: expect.objectContaining({ missing: ['versionKey'] }) }),
    )
    link.rpc.close()
  })
})

describe('old dialects', () => {
  it.each([343, 293])(
    'spec %i: weights land by the calls it has, direct and committed',
    async (specVersion) => {
      subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100, specVersion })
      let chain = await subnet.connect()
      makeBlocks(5)
      expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({ kind: 'set', path: 'direct' })
      await subnet.close()
      subnet = await startSubnet({
        sealing: 'interval',
        blockTimeMs: 300,
        specVersion,
        commitReveal: true,
        tempo: 10,
        beaconPeriodSeconds: 1,
      })
      chain = await subnet.connect()
      makeBlocks(5)
      expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({ kind: 'set', path: 'commit' })
      await expect.poll(() => chain.weightsOf(4, 0), { interval: 300 }).toEqual(entries)
    },
    90_000,
  )
})

describe('an endpoint that repeats heads or stands still', () => {
  it('repeated heads and parents are not shown twice (T-C3)', async () => {
    subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100 })
    subnet.dev.faults.set({ repeatedHeads: true })
    const chain = await subnet.connect()
    const seen: number[] = []
    for await (const { number } of chain.blocks(new AbortController().signal)) {
      seen.push(number)
      if (seen.length === 8) break
    }
    expect(seen.every((number, index) => index === 0 || number > (seen[index - 1] ?? 0))).toBe(true)
  })
})
