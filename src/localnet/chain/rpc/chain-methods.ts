import { z } from 'zod'
import type { Chain } from '../node/index.js'
import { toHex } from '../scale/index.js'
import { blockHash, type Json, type Methods, method, withoutParams } from './method.js'
import { headerView } from './views.js'

const blockNumber = z.union([z.number().int(), z.string().regex(/^0x[0-9a-f]+$/i)]).transform(Number)

export function chainMethods(chain: Chain): Methods {
  const find = (hash: string | null | undefined) => (hash ? chain.blockByHash(hash) : chain.head)
  const hashOf = (number: number): Json => {
    const hash = chain.hashOf(number)
    return hash ? toHex(hash) : null
  }
  const getBlockHash = method(
    z.tuple([z.union([blockNumber, z.array(blockNumber)]).nullish()]).or(z.tuple([])),
    ([wanted]) => {
      if (wanted === undefined || wanted === null) return toHex(chain.head.hash)
      return Array.isArray(wanted) ? wanted.map(hashOf) : hashOf(wanted)
    },
  )
  const getFinalizedHead = withoutParams(() => toHex(chain.finalized.hash))
  return {
    chain_getBlockHash: getBlockHash,
    chain_getHead: getBlockHash,
    chain_getFinalizedHead: getFinalizedHead,
    chain_getFinalisedHead: getFinalizedHead,
    chain_getHeader: method(z.tuple([blockHash]).or(z.tuple([])), ([hash]) => {
      const block = find(hash)
      return block ? headerView(block.header) : null
    }),
    chain_getBlock: method(z.tuple([blockHash]).or(z.tuple([])), ([hash]) => {
      const block = find(hash)
      if (!block) return null
      return {
        block: { header: headerView(block.header), extrinsics: block.extrinsics.map(toHex) },
        justifications: null,
      }
    }),
  }
}
