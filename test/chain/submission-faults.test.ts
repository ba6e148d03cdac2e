import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openWeightsPipeline } from '../../src/chain/index.js'
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

/** Produces blocks, which rate limits count. */
function mine(blocks: number): void {
  for (let made = 0; made < blocks; made++) subnet.dev.chain.produceBlock()
}

describe('a failed submission is repeated until it lands (T-W4)', () => {
  it.each(['banned', 'priority', 'stale', 'swallowed', 'lost-reply'] as const)(
    'fault %s',
    async (fault) => {
      const folder = await mkdtemp(join(tmpdir(), 'submissions-'))
      subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100, weightsSetRateLimit: 20 })
      const chain = await subnet.connect({ inclusionTimeoutMs: 600 })
      mine(21)
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
