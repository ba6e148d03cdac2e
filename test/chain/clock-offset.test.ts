import { afterEach, expect, it } from 'vitest'
import { connectSubtensor, type SubtensorClient } from '../../src/chain/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../src/localnet/chain/index.js'
import { recordLog } from './subnet.js'

const close: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const one of close.splice(0).reverse()) await one()
})

/** A chain whose time is the real one, and a client that is ahead of it by `aheadMs`, which may be changed. */
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
  const said = (event: string) => log.lines.filter((line) => line.event === event)
  return { clock, dev, chain, said }
}

/** Blocks one by one, each when the one before has been looked at. */
async function arrive(dev: DevelopmentChain, chain: SubtensorClient, count: number): Promise<void> {
  for (let block = 0; block < count; block++) {
    const { number } = dev.chain.produceBlock()
    await expect.poll(() => chain.head().number, { interval: 2 }).toBe(number)
    // Asked behind the time of the block, on the same connection.
    await chain.weightRules(4)
  }
}

it.each([
  ['ahead', 40_000, 25],
  ['behind', -20_000, -20],
])(
  'a clock that is %s is told once, by how much, and that it is right again',
  async (_, aheadMs, seconds) => {
    const { clock, dev, chain, said } = await setup(aheadMs)
    await arrive(dev, chain, 1)
    expect(chain.clockOffsetMs).toBe(0)
    await arrive(dev, chain, 3)
    expect(Math.abs(chain.clockOffsetMs / 1000 - seconds)).toBeLessThan(10)
    expect(said('clock-skewed')).toMatchObject([
      { level: 'error', fields: { seconds: expect.any(Number), next: expect.stringContaining('NTP') } },
    ])
    clock.aheadMs = 0
    await arrive(dev, chain, 1)
    expect(chain.clockOffsetMs).toBe(0)
    expect(said('clock-agrees')).toHaveLength(1)
  },
)

it('one block that comes late is nothing, nor is a clock that is a little off', async () => {
  const { clock, dev, chain, said } = await setup(40_000)
  await arrive(dev, chain, 1)
  clock.aheadMs = 5_000
  await arrive(dev, chain, 3)
  expect(chain.clockOffsetMs).toBe(0)
  const behind = await setup(-3000)
  await arrive(behind.dev, behind.chain, 3)
  expect(behind.chain.clockOffsetMs).toBe(0)
  expect([...said('clock-skewed'), ...behind.said('clock-skewed')]).toEqual([])
})
