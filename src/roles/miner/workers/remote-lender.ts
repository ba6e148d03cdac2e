import { createDeferred } from '../../../kernel/index.js'
import type { LentPlace, NoPlace, PlaceLender } from '../../../routing/index.js'
import { ANSWER_MS, type RemoteGateOptions, within } from './remote-gate.js'

/** The places at model servers that a worker borrows from the process that counts them. */
export interface RemoteLender extends PlaceLender {
  /** The other process lends a place at this server, or says why it does not. */
  answer(id: number, answer: { readonly url: string } | { readonly reason: NoPlace }): void
}

export function createRemoteLender(options: RemoteGateOptions): RemoteLender {
  const { tell, queueTimeoutMs } = options
  const asked = new Map<number, (answer: LentPlace | NoPlace) => void>()
  let next = 0
  const lend = (id: number, url: string): LentPlace => {
    let isSettled = false
    return {
      url,
      settle: (end) => {
        if (isSettled) return
        isSettled = true
        tell({ t: 'settle', id, end })
      },
    }
  }
  return {
    answer: (id, answer) => asked.get(id)?.('url' in answer ? lend(id, answer.url) : answer.reason),
    take: async (model, waiter, tried) => {
      if (waiter.destroyed) return 'caller-left'
      const id = next++
      const { promise, resolve } = createDeferred<LentPlace | NoPlace>()
      asked.set(id, resolve)
      const onClose = () => resolve('caller-left')
      waiter.once('close', onClose)
      tell({ t: 'reserve', id, model, tried: [...tried] })
      const end = await within(options, queueTimeoutMs + ANSWER_MS, promise)
      waiter.off('close', onClose)
      asked.delete(id)
      // The answer may be on its way: what it lends is given back, and a wait ends.
      if (end === 'caller-left' || end === 'silent') tell({ t: 'settle', id, end: { kind: 'caller-left' } })
      return end
    },
  }
}
