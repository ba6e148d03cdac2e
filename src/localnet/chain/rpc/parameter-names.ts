import { z } from 'zod'
import { RpcError } from '../node/index.js'

/** Parameters of a request: a list, or an object with the names of the node's RPC interface. */
export const requestParams = z
  .union([z.array(z.unknown()), z.record(z.string().max(100), z.unknown()), z.null()])
  .default([])

/** Names of the parameters by position, as sc-rpc-api declares them; `|` separates names for the same position. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  author_submitAndWatchExtrinsic: ['bytes|extrinsic'],
  author_submitExtrinsic: ['extrinsic|bytes'],
  chain_getBlock: ['hash'],
  chain_getBlockHash: ['hash|number|block_number'],
  chain_getHead: ['hash|number'],
  chain_getHeader: ['hash'],
  chain_getRuntimeVersion: ['hash|at'],
  neuronInfo_getNeuron: ['netuid', 'uid', 'at|hash'],
  neuronInfo_getNeuronLite: ['netuid', 'uid', 'at|hash'],
  neuronInfo_getNeurons: ['netuid', 'at|hash'],
  neuronInfo_getNeuronsLite: ['netuid', 'at|hash'],
  payment_queryFeeDetails: ['encoded_xt', 'at|hash'],
  payment_queryInfo: ['encoded_xt', 'at|hash'],
  state_call: ['name|method', 'bytes|data', 'hash|at'],
  state_callAt: ['name|method', 'bytes|data', 'hash|at'],
  state_getKeys: ['prefix', 'hash|at'],
  state_getKeysPaged: ['prefix', 'count', 'start_key|startKey', 'hash|at'],
  state_getMetadata: ['hash|at'],
  state_getPairs: ['prefix', 'hash|at'],
  state_getRuntimeVersion: ['hash|at'],
  state_getStorage: ['key', 'hash|at'],
  state_getStorageAt: ['key', 'hash|at'],
  state_getStorageHash: ['key', 'hash|at'],
  state_getStorageSize: ['key', 'hash|at'],
  state_queryStorageAt: ['keys', 'at|hash'],
  state_subscribeStorage: ['keys'],
  system_accountNextIndex: ['account'],
  account_nextIndex: ['account'],
}

/**
 * The parameters by position. Missing ones between others are null; missing ones at the end are left out.
 *
 * @throws RpcError -32602 for a name that the method does not have
 */
export function positionalParams(method: string, params: z.output<typeof requestParams>): readonly unknown[] {
  if (params === null) return []
  if (Array.isArray(params)) return params
  const names = (NAMES[method] ?? []).map((name) => name.split('|'))
  const positions: unknown[] = []
  for (const [name, value] of Object.entries(params)) {
    const position = names.findIndex((known) => known.includes(name))
    if (position < 0) throw new RpcError(-32602, 'Invalid params', `${method} has no parameter ${name}`)
    positions[position] = value
  }
  return Array.from(positions, (value) => value ?? null)
}
