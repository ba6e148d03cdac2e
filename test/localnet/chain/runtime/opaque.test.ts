import { afterEach, describe, expect, test } from 'vitest'
import { neuronInfo, neuronInfoLite } from '../../../../src/localnet/chain/runtime/neuron-types.js'
import {
  bytes,
  decode,
  fromHex,
  option,
  type ScaleType,
  vec,
} from '../../../../src/localnet/chain/scale/index.js'
import { connect, NETUID, startNetwork, type TestNetwork } from '../client.js'

let network: TestNetwork | undefined
afterEach(() => network?.close())

/** Starts a chain of a spec version with two neurons and returns a function that calls its methods. */
async function start(specVersion: number) {
  const started = await startNetwork({ specVersion, count: 2 })
  network = started
  return async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const response = await fetch(started.httpUrl, { method: 'POST', body })
    const answer = (await response.json()) as { readonly result?: unknown; readonly error?: unknown }
    return answer.result ?? answer.error
  }
}

function unwrap<T>(type: ScaleType<T>, result: unknown): T {
  const encoded =
    typeof result === 'string' ? decode(bytes, fromHex(result)) : Uint8Array.from(result as number[])
  return decode(type, encoded)
}

describe('runtime APIs of spec 217', () => {
  test('return neurons as bytes with the encoded value in them', async () => {
    const call = await start(217)
    const result = await call('state_call', 'NeuronInfoRuntimeApi_get_neurons_lite', '0x0400')
    const hotkeys = network?.neurons.map(({ hot }) => hot.publicKey)
    expect(unwrap(vec(neuronInfoLite), result).map(({ hotkey }) => hotkey)).toEqual(hotkeys)
  })

  test('return no bytes for a neuron that does not exist', async () => {
    const call = await start(217)
    expect(await call('state_call', 'NeuronInfoRuntimeApi_get_neuron', '0x04000900')).toBe('0x00')
    expect(await call('neuronInfo_getNeuron', NETUID, 9)).toEqual([])
  })

  test('are described as Vec<u8> to a client that reads the metadata', async () => {
    await start(217)
    const api = await connect(network?.url ?? '')
    try {
      const neurons = await api.call.neuronInfoRuntimeApi?.getNeuronsLite?.(NETUID)
      expect(neurons?.toRawType()).toBe('Bytes')
      expect(api.registry.signedExtensions).toEqual(
        expect.arrayContaining(['SubtensorSignedExtension', 'CommitmentsSignedExtension']),
      )
      expect(api.call).not.toHaveProperty('swapRuntimeApi')
      expect(api.tx.subtensorModule).not.toHaveProperty('addStake')
    } finally {
      await api.disconnect()
    }
  })
})

test.each([217, 475])(
  'the methods for neurons answer with a list of bytes at spec %i',
  async (specVersion) => {
    const call = await start(specVersion)
    const [validator, miner] = unwrap(vec(neuronInfo), await call('neuronInfo_getNeurons', NETUID))
    expect([validator?.uid, miner?.uid]).toEqual([0, 1])
    const one = await call('neuronInfo_getNeuron', NETUID, 1, null)
    expect(specVersion === 217 ? unwrap(neuronInfo, one) : unwrap(option(neuronInfo), one)).toEqual(miner)
  },
)

test('there is no dialect for the runtimes between 218 and 290', async () => {
  await expect(startNetwork({ specVersion: 240 })).rejects.toThrow('no dialect for spec 240')
  const call = await start(218)
  expect(await call('state_getRuntimeVersion')).toMatchObject({ specVersion: 218 })
})
