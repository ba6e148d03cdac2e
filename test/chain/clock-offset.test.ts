import { afterEach, expect, it } from 'vitest'
import { connectSubtensor, type SubtensorClient } from '../../src/chain/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../src/localnet/chain/index.js'
import { recordLog } from './subnet.js'

const close: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const one of close.splice(0).reverse()) await one()
})

/** A chain with the real time, and a client whose clock is ahead of it by `aheadMs`, which can be changed. */
async function setup(aheadMs: number) {
  const clock: Clock & { aheadMs: number } = {
    ...systemClock,
    aheadMs,
    now: () => systemClock.now() + clock.aheadMs,
  }
  const dev = await startDevelopmentChain({ sealing: 'manual' })
  close.push(() => dev.close())
  const log = recordLog()
  const life = new AbortController()
  const chain = await connectSubtensor({ endpoints: [dev.url] }, { clock, log, signal: life.signal })
  close.push(() => chain.close())
  const logged = (event: string) => log.lines.filter((line) => line.event === event)
  return { clock, dev, chain, logged }
}

/** Produces blocks, each after the previous one was checked. */
async function produce(dev: DevelopmentChain, chain: SubtensorClient, count: number): Promise<void> {
  for (let block = 0; block < count; block++) {
    const { number } = dev.chain.produceBlock()
    await expect.poll(() => chain.head().number, { interval: 2 }).toBe(number)
    // Queued behind the read of the block time on the same connection.
    await chain.weightRules(4)
  }
}

it.each([
  ['ahead', 40_000, 25],
  ['behind', -20_000, -20],
])(
  'reports once that the clock is %s, by how much, and that it agrees again',
  async (_, aheadMs, seconds) => {
    const { clock, dev, chain, logged } = await setup(aheadMs)
    await produce(dev, chain, 1)
    expect(chain.clockOffsetMs).toBe(0)
    await produce(dev, chain, 3)
    expect(Math.abs(chain.clockOffsetMs / 1000 - seconds)).toBeLessThan(10)
    expect(logged('clock-skewed')).toMatchObject([
      { level: 'error', fields: { seconds: expect.any(Number), next: expect.stringContaining('NTP') } },
    ])
    clock.aheadMs = 0
    await produce(dev, chain, 1)
    expect(chain.clockOffsetMs).toBe(0)
    expect(logged('clock-agrees')).toHaveLength(1)
  },
)

it('ignores a single late block and a clock that is slightly off', async () => {
  const { clock, dev, chain, logged } = await setup(40_000)
  await produce(dev, chain, 1)
  clock.aheadMs = 5_000
  await produce(dev, chain, 3)
  expect(chain.clockOffsetMs).toBe(0)
  const behind = await setup(-3000)
  await produce(behind.dev, behind.chain, 3)
  expect(behind.chain.clockOffsetMs).toBe(0)
  expect([...logged('clock-skewed'), ...behind.logged('clock-skewed')]).toEqual([])
})
