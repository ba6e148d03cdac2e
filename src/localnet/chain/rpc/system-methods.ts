import { z } from 'zod'
import { publicKeyOf } from '../../../kernel/index.js'
import { type Chain, RpcError } from '../node/index.js'
import { type Methods, method, withoutParams } from './method.js'

export function systemMethods(chain: Chain): Methods {
  const accountNextIndex = method(z.tuple([z.string()]), ([address]) => {
    const account = publicKeyOf(address)
    if (!account) throw new RpcError(-32602, 'Invalid params', `${address} is not an address of this chain`)
    return chain.nextNonce(account)
  })
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
