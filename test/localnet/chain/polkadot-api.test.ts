import { createClient, type PolkadotClient } from 'polkadot-api'
import { getPolkadotSigner } from 'polkadot-api/signer'
import { getWsProvider } from 'polkadot-api/ws'
import { afterEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { NETUID, startNetwork, type TestNetwork } from './client.js'

let network: TestNetwork
let client: PolkadotClient

afterEach(async () => {
  client.destroy()
  await network.close()
})

it.each([425, 461, 475])(
  'polkadot-api reads a chain of spec %i and submits a signed call that is included in a block',
  async (specVersion) => {
    network = await startNetwork({ sealing: 'interval', blockTimeMs: 200, specVersion })
    const [validator] = network.neurons
    if (!validator) throw new Error('no validator')
    client = createClient(
      getWsProvider(network.url, { websocketClass: WebSocket as unknown as typeof globalThis.WebSocket }),
    )
    const api = client.getUnsafeApi()

    expect(await api.query.SubtensorModule?.SubnetworkN?.getValue(NETUID)).toBe(4)
    expect(await api.query.SubtensorModule?.Uids?.getValue(NETUID, validator.hot.address)).toBe(0)
    expect(await api.query.SubtensorModule?.Axons?.getValue(NETUID, validator.hot.address)).toBeUndefined()
    const neurons = await api.apis.NeuronInfoRuntimeApi?.get_neurons_lite?.(NETUID)
    expect(neurons).toHaveLength(4)

    const signer = getPolkadotSigner(validator.hot.publicKey, 'Sr25519', (bytes) => validator.hot.sign(bytes))
    const call = api.tx.SubtensorModule?.serve_axon?.({
      netuid: NETUID,
      version: 8_005_001,
      ip: 0x0a000001n,
      port: 8091,
      ip_type: 4,
      protocol: 4,
      placeholder1: 0,
      placeholder2: 0,
    })
    const result = await call?.signAndSubmit(signer)
    expect(result).toMatchObject({ ok: true })
    expect(result?.events.map(({ type, value }) => `${type}.${value.type}`)).toContain(
      'SubtensorModule.AxonServed',
    )
    expect(await api.query.SubtensorModule?.Axons?.getValue(NETUID, validator.hot.address)).toMatchObject({
      ip: 0x0a000001n,
      port: 8091,
      ip_type: 4,
    })
  },
)
