import { describe, expect, test } from 'vitest'
import { subtensor } from '../../../../src/localnet/chain/runtime/index.js'
import type { EpochInput } from '../../../../src/localnet/chain/subtensor/epoch-types.js'
import { runYuma } from '../../../../src/localnet/chain/subtensor/yuma.js'
import { NETUID, startNetwork } from '../client.js'

const MAX_U16 = 65_535

/**
 * The scenario and golden values of `test_bonds` in subtensor's pallets/subtensor/src/tests/epoch.rs: four validators
 * with stakes 1 to 4, four servers, bonds moving average 0.9.
 */
class BondsScenario {
  readonly #weights: [number, number][][] = Array.from({ length: 8 }, () => [])
  #bonds: (readonly (readonly [number, number])[])[] = Array.from({ length: 8 }, () => [])
  #permits: readonly boolean[] = Array.from({ length: 8 }, (_, uid) => uid < 4)
  #block = 1

  setWeights(uid: number, dests: readonly number[], values: readonly number[]): void {
    this.#weights[uid] = dests.map((dest, index) => [dest, values[index] ?? 0])
  }

  /** @returns the bonds of the four validators to each neuron, as u16 */
  runEpoch(): readonly (readonly number[])[] {
    const input: EpochInput = {
      block: ++this.#block,
      tempo: 0,
      stake: [1, 2, 3, 4, 0, 0, 0, 0],
      permits: this.#permits,
      lastUpdate: Array.from({ length: 8 }, () => 1),
      registeredAt: Array.from({ length: 8 }, () => 0),
      lastStepBlock: this.#block - 1,
      activityCutoff: 5000,
      maxValidators: 8,
      kappa: 32_767 / MAX_U16,
      bondsMovingAverage: 0.9,
      weights: this.#weights,
      bonds: this.#bonds,
    }
    const output = runYuma(input)
    this.#permits = output.permits
    const stored = output.bonds.map((row) => row.map((bond) => Math.floor(bond * MAX_U16)))
    this.#bonds = stored.map((row) => row.map((bond, uid) => [uid, bond] as const))
    return stored.slice(0, 4)
  }
}

describe('Yuma consensus', () => {
  test('matches the bonds of the runtime test to within 1/65535', () => {
    const scenario = new BondsScenario()
    for (const uid of [0, 1, 2, 3]) scenario.setWeights(uid, [4, 5, 6, 7], [16_383, 32_767, 49_149, 65_535])
    expectBonds(scenario.runEpoch(), 4, [16_383, 32_767, 49_151, 65_535])
    scenario.setWeights(0, [0], [65_535])
    expectBonds(scenario.runEpoch(), 4, [14_582, 32_767, 49_151, 65_535])
    scenario.setWeights(1, [1], [65_535])
    expectBonds(scenario.runEpoch(), 4, [12_603, 28_321, 49_151, 65_535])
    scenario.setWeights(2, [2], [65_535])
    expectBonds(scenario.runEpoch(), 7, [12_602, 28_320, 49_150, 65_535])
    scenario.setWeights(2, [7], [65_535])
    expectBonds(scenario.runEpoch(), 7, [10_951, 24_609, 49_150, 65_535])
    expectBonds(scenario.runEpoch(), 7, [9_559, 21_482, 49_150, 65_535])
    expectBonds(scenario.runEpoch(), 7, [8_376, 18_824, 49_150, 65_535])
  })

  test('an epoch turns weights into proportional incentive and pays dividends in alpha', async () => {
    const network = await startNetwork({ count: 5, tempo: 10 })
    const { storage } = network.chain
    for (let made = 0; made < 3; made++) network.chain.produceBlock()
    const vector = [[2, 60_000] as const, [3, 30_000] as const, [4, 10_000] as const]
    for (const uid of [0, 1]) {
      storage.set(subtensor.Weights, vector, NETUID, uid)
      storage.setElement(subtensor.LastUpdate, uid, 3n, NETUID)
    }
    const hotkey = network.neurons[0]?.hot.publicKey ?? new Uint8Array()
    const before = storage.get(subtensor.TotalHotkeyAlpha, hotkey, NETUID)
    for (let made = 0; made < 10; made++) network.chain.produceBlock()
    const incentive = storage.get(subtensor.Incentive, NETUID)
    expect(incentive.map((share) => Math.round((share / MAX_U16) * 100))).toEqual([0, 0, 60, 30, 10])
    expect(storage.get(subtensor.TotalHotkeyAlpha, hotkey, NETUID)).toBeGreaterThan(before)
    expect(storage.get(subtensor.LastEpochBlock, NETUID)).toBe(10n)
    expect(storage.get(subtensor.SubnetEpochIndex, NETUID)).toBe(1n)
    await network.close()
  })

  test.each([
    [425, [10, 20, 30]],
    [343, [6, 17, 28]],
  ])('spec %i runs epochs on its own schedule', async (specVersion, blocks) => {
    const network = await startNetwork({ specVersion, tempo: 10 })
    const seen = new Set<number>()
    for (let made = 0; made < 30; made++) {
      network.chain.produceBlock()
      const last = Number(network.chain.storage.get(subtensor.LastMechansimStepBlock, NETUID))
      if (last > 0) seen.add(last)
    }
    expect([...seen]).toEqual(blocks)
    await network.close()
  })
})

function expectBonds(
  bonds: readonly (readonly number[])[],
  server: number,
  expected: readonly number[],
): void {
  bonds.forEach((row, validator) => {
    expect(Math.abs((row[server] ?? 0) - (expected[validator] ?? 0))).toBeLessThanOrEqual(1)
  })
}
