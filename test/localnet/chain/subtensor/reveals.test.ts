import { afterEach, describe, expect, test } from 'vitest'
import { drand, subtensor } from '../../../../src/localnet/chain/runtime/index.js'
import { bytes, encode, struct, u16, u64, vec } from '../../../../src/localnet/chain/scale/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { connect, NETUID, sendInBlock, startNetwork, type TestNetwork } from '../client.js'
import { encryptTimelock } from '../timelock.js'

const payload = struct('Payload', { hotkey: bytes, uids: vec(u16), values: vec(u16), version_key: u64 })
const legacyPayload = struct('Legacy', { uids: vec(u16), values: vec(u16), version_key: u64 })
const TEMPO = 10
const VECTOR = { uids: [2, 3], values: [100, 50], version_key: 0n }

describe('time-locked commits', () => {
  const clock = new ManualClock()
  let network: TestNetwork

  afterEach(async () => {
    await network.close()
  })

  /** Commits weights for validator 0 with a payload that names `hotkey`. Its pulse is published 30 seconds later. */
  async function commit(hotkey: Uint8Array | undefined): Promise<bigint> {
    const api = await connect(network.url)
    try {
      const validator = network.neurons[0]
      if (!validator) throw new Error('no validator')
      const { public_key } = network.chain.storage.get(drand.BeaconConfig)
      const round = network.chain.storage.get(drand.LastStoredRound) + 10n
      const plain = hotkey ? encode(payload, { hotkey, ...VECTOR }) : encode(legacyPayload, VECTOR)
      const ciphertext = `0x${Buffer.from(encryptTimelock(plain, round, public_key)).toString('hex')}`
      const call = api.tx.subtensorModule
      const extrinsic =
        call?.commitTimelockedMechanismWeights?.(NETUID, 0, ciphertext, round, 4) ??
        call?.commitCrv3Weights?.(NETUID, ciphertext, round)
      if (!extrinsic) throw new Error('no commit call')
      const { error } = await sendInBlock(network, api, extrinsic, validator.hot)
      expect(error).toBeUndefined()
      return round
    } finally {
      await api.disconnect()
    }
  }

  const start = async (specVersion = 425) => {
    network = await startNetwork(
      { commitReveal: true, tempo: TEMPO, specVersion, weightsSetRateLimit: 0 },
      { clock },
    )
  }
  const mine = (count: number) => {
    for (let made = 0; made < count; made++) network.chain.produceBlock()
  }
  const weights = () => network.chain.storage.get(subtensor.Weights, NETUID, 0)
  const hotkey = () => network.neurons[0]?.hot.publicKey ?? new Uint8Array()

  test.each([425, 343])(
    'spec %i sets the weights in the epoch after the commit and not earlier',
    async (spec) => {
      await start(spec)
      await commit(hotkey())
      await clock.advance(60_000)
      mine(1)
      expect(weights()).toEqual([])
      mine(TEMPO)
      expect(weights()).toEqual([
        [2, 65_535],
        [3, 32_768],
      ])
    },
  )

  test('spec 293 accepts the payload of commit_crv3_weights, which has no hotkey', async () => {
    await start(293)
    await commit(undefined)
    await clock.advance(60_000)
    mine(TEMPO + 1)
    expect(weights()).toHaveLength(2)
  })

  test('delays the reveal within the epoch while the pulse is missing', async () => {
    await start()
    network.faults.set({ beaconSilent: true })
    await commit(hotkey())
    await clock.advance(60_000)
    mine(TEMPO + 2)
    expect(weights()).toEqual([])
    network.faults.clear()
    mine(1)
    expect(weights()).toHaveLength(2)
  })

  test('drops the weights when the pulse arrives after the epoch', async () => {
    await start()
    network.faults.set({ beaconSilent: true })
    await commit(hotkey())
    await clock.advance(60_000)
    mine(3 * TEMPO)
    network.faults.clear()
    mine(TEMPO)
    expect(weights()).toEqual([])
  })

  test('drops a payload that names another hotkey', async () => {
    await start()
    await commit(network.neurons[1]?.hot.publicKey)
    await clock.advance(60_000)
    mine(TEMPO + 1)
    expect(weights()).toEqual([])
  })
})
