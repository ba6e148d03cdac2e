import { z } from 'zod'
import type { Block, Chain } from '../node/index.js'
import { equalBytes, toHex } from '../scale/index.js'
import { submitExtrinsic } from './author-methods.js'
import type { Faults } from './faults.js'
import { headerView, runtimeVersionView, storageView } from './json-views.js'
import { hexBytes, hexText, type Json, parseParams } from './method.js'

export interface Subscription {
  /** Method name of the notifications. */
  readonly event: string
  readonly unsubscribe: string
  /** Starts pushing results and returns a stop function. Results pushed before it returns are sent after the id. */
  start(push: (result: Json) => void, params: readonly unknown[]): () => void
}

type Subscriptions = Readonly<Record<string, Subscription>>

export function subscriptionsOf(chain: Chain, faults: Faults): Subscriptions {
  const newHeads = headsOf(chain, faults, 'chain_newHead', 'chain_unsubscribeNewHeads')
  const finalizedHeads: Subscription = {
    event: 'chain_finalizedHead',
    unsubscribe: 'chain_unsubscribeFinalizedHeads',
    start: (push) => {
      push(headerView(chain.finalized.header))
      return chain.onFinalized.add((block) => push(headerView(block.header)))
    },
  }
  return {
    chain_subscribeNewHead: { ...newHeads, unsubscribe: 'chain_unsubscribeNewHead' },
    chain_subscribeNewHeads: newHeads,
    subscribe_newHead: { ...newHeads, unsubscribe: 'unsubscribe_newHead' },
    chain_subscribeAllHeads: headsOf(chain, faults, 'chain_allHead', 'chain_unsubscribeAllHeads'),
    chain_subscribeFinalizedHeads: finalizedHeads,
    chain_subscribeFinalisedHeads: { ...finalizedHeads, unsubscribe: 'chain_unsubscribeFinalisedHeads' },
    state_subscribeRuntimeVersion: {
      event: 'state_runtimeVersion',
      unsubscribe: 'state_unsubscribeRuntimeVersion',
      start: (push) => {
        push(runtimeVersionView(chain.runtime))
        return chain.onRuntimeUpgrade.add((runtime) => push(runtimeVersionView(runtime)))
      },
    },
    state_subscribeStorage: storageSubscription(chain),
    author_submitAndWatchExtrinsic: watchSubscription(chain, faults),
  }
}

function headsOf(chain: Chain, faults: Faults, event: string, unsubscribe: string): Subscription {
  return {
    event,
    unsubscribe,
    start: (push) => {
      push(headerView(chain.head.header))
      return chain.onBlock.add((block) => {
        push(headerView(block.header))
        const parent = chain.blockByNumber(block.number - 1)
        if (!faults.settings.repeatedHeads || !parent) return
        push(headerView(parent.header))
        push(headerView(block.header))
      })
    },
  }
}

function storageSubscription(chain: Chain): Subscription {
  const changesOf = (block: Block, keys: readonly string[]): Json => ({
    block: toHex(block.hash),
    changes: keys.map((key) => [key, storageView(chain, key, block)]),
  })
  return {
    event: 'state_storage',
    unsubscribe: 'state_unsubscribeStorage',
    start: (push, params) => {
      const [keys] = parseParams(z.tuple([z.array(hexText)]), params)
      push(changesOf(chain.head, keys))
      return chain.onBlock.add((block) => {
        const changed = keys.filter((key) => hasChanged(chain, block, key.toLowerCase()))
        if (changed.length > 0) push(changesOf(block, changed))
      })
    },
  }
}

function hasChanged(chain: Chain, block: Block, key: string): boolean {
  if (!block.changes.has(key)) return false
  const before = block.changes.get(key)
  const after = chain.state.at(block.number).raw(key)
  if (before === undefined || after === undefined) return before !== after
  return !equalBytes(before, after)
}

function watchSubscription(chain: Chain, faults: Faults): Subscription {
  return {
    event: 'author_extrinsicUpdate',
    unsubscribe: 'author_unwatchExtrinsic',
    start: (push, params) => {
      const [bytes] = parseParams(z.tuple([hexBytes]), params)
      let isWatched = true
      submitExtrinsic(chain, faults, bytes, (status) => {
        if (isWatched) push(status)
      })
      return () => {
        isWatched = false
      }
    },
  }
}
