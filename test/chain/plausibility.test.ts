import { describe, expect, it } from 'vitest'
import { createHeadGuard, findImplausibility } from '../../src/chain/plausibility.js'
import type { Metagraph, Neuron } from '../../src/chain/types.js'

function neuron(uid: number, changes: Partial<Neuron> = {}): Neuron {
  const idle = { validatorPermit: uid < 8, stakeTao: uid < 8 ? 1000 : 0, alphaStake: 0, lastUpdateBlock: 1 }
  const rates = { incentive: 0, consensus: 0, validatorTrust: 0, emissionRao: 0 }
  return { uid, hotkey: `hotkey ${uid}`, coldkey: 'c', axon: undefined, ...idle, ...rates, ...changes }
}

function metagraph(block: number, neurons: readonly Neuron[]): Metagraph {
  const find = (hotkey: string) => neurons.find((one) => one.hotkey === hotkey)
  return { netuid: 4, block, blockHash: '0x', neurons, readAt: 0, find }
}

const subnet = (count: number, change: (uid: number) => Partial<Neuron> = () => ({})) =>
  Array.from({ length: count }, (_, uid) => neuron(uid, change(uid)))

const before = metagraph(1000, subnet(64))

describe('findImplausibility (T-C4)', () => {
  it.each([
    ['height', metagraph(900, subnet(64))],
    ['neurons', metagraph(1060, subnet(63))],
    ['neurons', metagraph(1001, subnet(80))],
    [
      'hotkeys',
      metagraph(
        1010,
        subnet(64, (uid) => (uid < 30 ? { hotkey: `other ${uid}` } : {})),
      ),
    ],
    [
      'hotkeys',
      metagraph(
        1300,
        subnet(64, (uid) => ({ hotkey: `other ${uid}` })),
      ),
    ],
    [
      'permits',
      metagraph(
        1060,
        subnet(64, () => ({ validatorPermit: false })),
      ),
    ],
    [
      'permits',
      metagraph(
        1060,
        subnet(64, (uid) => ({ validatorPermit: uid >= 5 && uid < 12 })),
      ),
    ],
    [
      'stake',
      metagraph(
        1060,
        subnet(64, () => ({ stakeTao: 0 })),
      ),
    ],
    [
      'stake',
      metagraph(
        1060,
        subnet(64, (uid) => ({ stakeTao: uid < 8 ? 90 : 0 })),
      ),
    ],
  ] as const)('finds implausible %s (case %#)', (what, next) => {
    expect(findImplausibility(before, next)).toMatchObject({ what })
  })

  it.each([
    ['nothing changed', metagraph(1001, subnet(64))],
    ['an endpoint is a few blocks behind', metagraph(995, subnet(64))],
    ['some registered', metagraph(1060, subnet(70))],
    [
      'some were replaced',
      metagraph(
        1060,
        subnet(64, (uid) => (uid > 50 ? { hotkey: `n ${uid}` } : {})),
      ),
    ],
    [
      'one validator lost its permit',
      metagraph(
        1060,
        subnet(64, (uid) => (uid === 0 ? { validatorPermit: false } : {})),
      ),
    ],
    [
      'a hotkey was deregistered',
      metagraph(
        1060,
        subnet(64, (uid) => (uid === 0 ? { hotkey: 'new' } : {})),
      ),
    ],
    [
      'a large validator left',
      metagraph(
        1060,
        subnet(64, (uid) => (uid < 4 ? { stakeTao: 0 } : {})),
      ),
    ],
    [
      'days passed',
      metagraph(
        1_000_000,
        subnet(64, (uid) => ({ hotkey: `other ${uid}`, validatorPermit: uid > 20 })),
      ),
    ],
  ] as const)('accepts the metagraph when %s', (_, next) => {
    expect(findImplausibility(before, next)).toBeUndefined()
  })
})

describe('findImplausibility with the limits of the subnet', () => {
  const limits = { maxUids: 256, maxPermits: 128 }
  /** What trimming leaves: every third neuron, with new uids. */
  const trimmed = metagraph(
    1060,
    subnet(22, (uid) => ({
      hotkey: `hotkey ${3 * uid}`,
      validatorPermit: uid < 3,
      stakeTao: uid < 3 ? 1000 : 0,
    })),
  )
  const oneLeft = metagraph(
    1060,
    subnet(64, (uid) => ({ validatorPermit: uid === 2 })),
  )

  it('accepts a trim down to the number of uids allowed', () => {
    expect(findImplausibility(before, trimmed)).toMatchObject({ what: 'neurons', before: 64, now: 22 })
    expect(findImplausibility(before, trimmed, { ...limits, maxUids: 22 })).toBeUndefined()
    // In batches, as under Null consensus, the limit comes first.
    expect(findImplausibility(before, trimmed, { ...limits, maxUids: 10 })).toBeUndefined()
  })

  it.each([
    ['fewer than the limit', 22, { maxUids: 32 }],
    ['without a lower limit', 22, { maxUids: 64 }],
  ])('refuses neurons that vanish: %s', (_, _count, changed) => {
    expect(findImplausibility(before, trimmed, { ...limits, ...changed })).toMatchObject({ what: 'neurons' })
  })

  it('refuses a trim that also replaces the neurons that stay', () => {
    const others = metagraph(
      1000,
      subnet(22, (uid) => ({ hotkey: `other ${uid}` })),
    )
    expect(findImplausibility(before, others, { ...limits, maxUids: 22 })).toMatchObject({ what: 'hotkeys' })
  })

  it('accepts that one permit is left when one is allowed, to a neuron that had one', () => {
    expect(findImplausibility(before, oneLeft)).toMatchObject({ what: 'permits', before: 8, now: 1 })
    expect(findImplausibility(before, oneLeft, { ...limits, maxPermits: 1 })).toBeUndefined()
    const none = subnet(64, () => ({ validatorPermit: false }))
    const newcomer = subnet(64, (uid) => ({ validatorPermit: uid === 40 }))
    for (const neurons of [none, newcomer])
      expect(
        findImplausibility(before, metagraph(1060, neurons), { ...limits, maxPermits: 1 }),
      ).toMatchObject({
        what: 'permits',
      })
  })

  it('still refuses stake that vanishes', () => {
    const poor = metagraph(
      1060,
      subnet(64, () => ({ stakeTao: 0 })),
    )
    expect(findImplausibility(before, poor, { maxUids: 22, maxPermits: 1 })).toMatchObject({ what: 'stake' })
  })
})

describe('createHeadGuard', () => {
  const head = (number: number) => ({ number, hash: '0x' })

  it('rejects a head too far ahead until every endpoint shows one', () => {
    let now = 0
    const guard = createHeadGuard(2, () => now)
    expect(guard.admits(head(1000), 'a', 12_000)).toBe(true)
    now += 12_000
    expect(guard.admits(head(1001), 'a', 12_000)).toBe(true)
    expect(guard.admits(head(100_000), 'b', 12_000)).toBe(false)
    expect(guard.admits(head(1002), 'a', 12_000)).toBe(true)
    expect(guard.admits(head(100_000), 'b', 12_000)).toBe(false)
    expect(guard.admits(head(100_001), 'a', 12_000)).toBe(true)
  })

  it('allows the blocks of a night without a connection', () => {
    let now = 0
    const guard = createHeadGuard(2, () => now)
    guard.admits(head(1000), 'a', 12_000)
    now += 8 * 3_600_000
    expect(guard.admits(head(1000 + 2400), 'a', 12_000)).toBe(true)
  })
})
