import type { Chain } from '../node/index.js'
import { authorMethods } from './author-methods.js'
import { chainMethods } from './chain-methods.js'
import type { Faults } from './faults.js'
import { type Methods, withoutParams } from './method.js'
import type { RpcModule } from './session.js'
import { stateMethods } from './state-methods.js'
import { subscriptionsOf } from './subscriptions.js'
import { systemMethods } from './system-methods.js'

/** Everything a client can call on this chain. */
export function rpcModuleOf(chain: Chain, faults: Faults, development: Methods): RpcModule {
  const subscriptions = subscriptionsOf(chain, faults)
  const methods: Methods = {
    ...systemMethods(chain),
    ...chainMethods(chain),
    ...stateMethods(chain),
    ...authorMethods(chain, faults),
    ...development,
  }
  const unsubscribes = Object.values(subscriptions).map(({ unsubscribe }) => unsubscribe)
  const names = [
    'rpc_methods',
    ...Object.keys(methods),
    ...Object.keys(subscriptions),
    ...unsubscribes,
  ].sort()
  return { methods: { ...methods, rpc_methods: withoutParams(() => ({ methods: names })) }, subscriptions }
}
