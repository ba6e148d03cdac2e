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
