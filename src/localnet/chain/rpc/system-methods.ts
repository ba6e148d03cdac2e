import { z } from 'zod'
import { publicKeyOf } from '../../../kernel/index.js'
import { type Chain, RpcError } from '../node/index.js'
import { constant, type Methods, method } from './method.js'

export function systemMethods(chain: Chain): Methods {
  const accountNextIndex = method(z.tuple([z.string()]), ([address]) => {
    const account = publicKeyOf(address)
    if (!account) throw new RpcError(-32602, 'Invalid params', `${address} is not an address of this chain`)
    return chain.nextNonce(account)
  })
  return {
    system_chain: constant(() => 'Development'),
    system_name: constant(() => 'targon-development-chain'),
    system_version: constant(() => '1.0.0'),
    system_chainType: constant(() => 'Development'),
    system_health: constant(() => ({ peers: 0, isSyncing: false, shouldHavePeers: false })),
    system_properties: constant(() => ({
      isEthereum: false,
      ss58Format: 42,
      tokenDecimals: 9,
      tokenSymbol: 'TAO',
    })),
    system_syncState: constant(() => ({
      startingBlock: 0,
      currentBlock: chain.head.number,
      highestBlock: chain.head.number,
    })),
    system_peers: constant(() => []),
    system_localPeerId: constant(() => '12D3KooWDevelopmentChain'),
    system_localListenAddresses: constant(() => []),
    system_nodeRoles: constant(() => ['Authority']),
    system_accountNextIndex: accountNextIndex,
    account_nextIndex: accountNextIndex,
  }
}
