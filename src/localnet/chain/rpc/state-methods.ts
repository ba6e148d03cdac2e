import { z } from 'zod'
import { type Chain, callRuntimeApi } from '../node/index.js'
import { toHex } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'
import { blockWithState, runtimeVersionView, storageView } from './json-views.js'
import { blockHash, hexBytes, hexText, type Methods, method } from './method.js'

/** Maximum number of keys in a page, as in the real node. */
const MAX_PAGE_KEYS = 1000
const keyAt = z.tuple([hexText, blockHash]).or(z.tuple([hexText]))

export function stateMethods(chain: Chain): Methods {
  const raw = (key: string, hash: string | null | undefined) =>
    chain.state.at(blockWithState(chain, hash).number).raw(key.toLowerCase())
  const keysAt = (prefix: string, hash: string | null | undefined) =>
    chain.state.at(blockWithState(chain, hash).number).keys(prefix.toLowerCase())

  const getStorage = method(keyAt, ([key, hash]) => storageView(chain, key, blockWithState(chain, hash)))
  const getRuntimeVersion = method(z.tuple([blockHash]).or(z.tuple([])), ([hash]) =>
    runtimeVersionView(hash ? blockWithState(chain, hash).runtime : chain.runtime),
  )
  const call = method(
    z.tuple([z.string(), hexBytes, blockHash]).or(z.tuple([z.string(), hexBytes])),
    ([name, input, hash]) => toHex(callRuntimeApi(chain, blockWithState(chain, hash), name, input)),
  )
  return {
    state_getStorage: getStorage,
    state_getStorageAt: getStorage,
    state_getStorageHash: method(keyAt, ([key, hash]) => {
      const value = raw(key, hash)
      return value ? toHex(blake2b256(value)) : null
    }),
    state_getStorageSize: method(keyAt, ([key, hash]) => raw(key, hash)?.length ?? null),
    state_queryStorageAt: method(
      z.tuple([z.array(hexText), blockHash]).or(z.tuple([z.array(hexText)])),
      ([keys, hash]) => {
        const block = blockWithState(chain, hash)
        return [
          { block: toHex(block.hash), changes: keys.map((key) => [key, storageView(chain, key, block)]) },
        ]
      },
    ),
    state_getKeysPaged: method(
      z
        .tuple([hexText.nullish(), z.number().int().min(0), hexText.nullish(), blockHash])
        .or(z.tuple([hexText.nullish(), z.number().int().min(0), hexText.nullish()]))
        .or(z.tuple([hexText.nullish(), z.number().int().min(0)])),
      ([prefix, count, start, hash]) => {
        const after = start?.toLowerCase()
        const keys = keysAt(prefix ?? '0x', hash).filter((key) => after === undefined || key > after)
        return keys.slice(0, Math.min(count, MAX_PAGE_KEYS))
      },
    ),
    state_getKeys: method(keyAt, ([prefix, hash]) => keysAt(prefix, hash)),
    state_getPairs: method(keyAt, ([prefix, hash]) => {
      const block = blockWithState(chain, hash)
      return keysAt(prefix, hash).map((key) => [key, storageView(chain, key, block)])
    }),
    state_getRuntimeVersion: getRuntimeVersion,
    chain_getRuntimeVersion: getRuntimeVersion,
    state_getMetadata: method(z.tuple([blockHash]).or(z.tuple([])), ([hash]) =>
      toHex(blockWithState(chain, hash).runtime.metadata[14]),
    ),
    state_call: call,
    state_callAt: call,
  }
}
