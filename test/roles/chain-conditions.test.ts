import { expect, it } from 'vitest'
import { TargonError } from '../../src/kernel/index.js'
import { chainConditions, implausibleFindings } from '../../src/roles/chain-conditions.js'
import { ManualClock } from '../support/manual-clock.js'

const { signal } = new AbortController()

function setup() {
  const clock = new ManualClock()
  const chain = { number: 100, clockOffsetMs: 0 }
  const conditions = chainConditions(clock, {
    head: () => ({ number: chain.number, hash: '0x' }),
    get clockOffsetMs() {
      return chain.clockOffsetMs
    },
  })
  const look = async (id: string) => conditions.find((one) => one.id === id)?.look(signal)
  return { clock, chain, look }
}

it('tells a chain without new blocks for two minutes', async () => {
  const { clock, chain, look } = setup()
  await clock.advance(120_000)
  expect(await look('chain-stale')).toEqual([])
  await clock.advance(15_000)
  expect(await look('chain-stale')).toMatchObject([
    { sentence: 'No new block has arrived since block 100, for 135 s.' },
  ])
  chain.number = 101
  expect(await look('chain-stale')).toEqual([])
})

it('tells a clock that the chain contradicts, and in which direction', async () => {
  const { chain, look } = setup()
  expect(await look('clock-off')).toEqual([])
  chain.clockOffsetMs = 31_000
  expect((await look('clock-off'))?.[0]?.sentence).toContain('at least 31 s ahead of the chain')
  chain.clockOffsetMs = -9000
  expect((await look('clock-off'))?.[0]?.sentence).toContain('at least 9 s behind the chain')
})

it('tells an impossible change of the subnet without the address of the endpoint', () => {
  const endpoint = 'wss://chain.example/?key=K3Y'
  const error = new TargonError(`${endpoint} shows an impossible change.`, {
    ...{ code: 'CHAIN_IMPLAUSIBLE', fault: 'chain' },
    facts: { endpoint, block: 7, what: 'neurons', before: 256, now: 3 },
  })
  const [finding] = implausibleFindings(error)
  expect(finding?.sentence).toContain('(neurons: 256, then 3)')
  expect(JSON.stringify(finding)).not.toContain('K3Y')
  expect(implausibleFindings(new Error('the connection was lost'))).toEqual([])
})
