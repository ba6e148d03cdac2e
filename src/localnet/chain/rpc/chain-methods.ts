import { z } from 'zod'
import type { Chain } from '../node/index.js'
import { toHex } from '../scale/index.js'
import { headerView } from './json-views.js'
import { accountOf, blockHash, type Json, type Methods, method, withoutParams } from './method.js'

export function systemMethods(chain: Chain): Methods {
  const accountNextIndex = method(z.tuple([z.string()]), ([address]) => chain.nextNonce(accountOf(address)))
  return {
    system_chain: withoutParams(() => 'Development'),
    system_name: withoutParams(() => 'targon-development-chain'),
    system_version: withoutParams(() => '1.0.0'),
    system_chainType: withoutParams(() => 'Development'),
    system_health: withoutParams(() => ({ peers: 0, isSyncing: false, shouldHavePeers: false })),
    system_properties: withoutParams(() => ({
      isEthereum: false,
      ss58Format: 42,
      tokenDecimals: 9,
      tokenSymbol: 'TAO',
    })),
    system_syncState: withoutParams(() => ({
      startingBlock: 0,
      currentBlock: chain.head.number,
      highestBlock: chain.head.number,
    })),
    system_peers: withoutParams(() => []),
    system_localPeerId: withoutParams(() => '12D3KooWDevelopmentChain'),
    system_localListenAddresses: withoutParams(() => []),
    system_nodeRoles: withoutParams(() => ['Authority']),
    system_accountNextIndex: accountNextIndex,
    account_nextIndex: accountNextIndex,
  }
}

const blockNumber = z.union([z.number().int(), z.string().regex(/^0x[0-9a-f]+$/i)]).transform(Number)

export function chainMethods(chain: Chain): Methods {
  const find = (hash: string | null | undefined) => (hash ? chain.blockByHash(hash) : chain.head)
  const hashOf = (number: number): Json => {
    const hash = chain.hashOf(number)
    return hash ? toHex(hash) : null
  }
  const getBlockHash = method(
    z.tuple([z.union([blockNumber, z.array(blockNumber)]).nullish()]).or(z.tuple([])),
    ([number]) => {
      if (number === undefined || number === null) return toHex(chain.head.hash)
      return Array.isArray(number) ? number.map(hashOf) : hashOf(number)
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
