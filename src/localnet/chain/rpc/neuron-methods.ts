import { z } from 'zod'
import { type Chain, callRuntimeApi } from '../node/index.js'
import { bytes, decode, encode, tuple, u16 } from '../scale/index.js'
import { blockWithState } from './json-views.js'
import { blockHash, type Json, type Methods, method } from './method.js'

const id = z.number().int().min(0).max(0xffff)

/** Subtensor's own methods for neurons. They answer with a list of bytes: what the runtime API of that name returns. */
export function neuronMethods(chain: Chain): Methods {
  const byNetuid = z.tuple([id, blockHash]).or(z.tuple([id]))
  const byUid = z.tuple([id, id, blockHash]).or(z.tuple([id, id]))
  const all = (name: string) =>
    method(byNetuid, ([netuid, hash]) => answerOf(chain, name, encode(u16, netuid), hash))
  const one = (name: string) =>
    method(byUid, ([netuid, uid, hash]) =>
      answerOf(chain, name, encode(tuple(u16, u16), [netuid, uid]), hash),
    )
  return {
    neuronInfo_getNeurons: all('get_neurons'),
    neuronInfo_getNeuronsLite: all('get_neurons_lite'),
    neuronInfo_getNeuron: one('get_neuron'),
    neuronInfo_getNeuronLite: one('get_neuron_lite'),
  }
}

function answerOf(chain: Chain, name: string, input: Uint8Array, hash: string | null | undefined): Json {
  const block = blockWithState(chain, hash)
  const result = callRuntimeApi(chain, block, `NeuronInfoRuntimeApi_${name}`, input)
  return [...(block.runtime.dialect.hasOpaqueResults ? decode(bytes, result) : result)]
}
