import { createDeferred } from '../../../kernel/index.js'
import type { NoPlace, SharedPlace, SharedPlaces } from '../../../routing/index.js'
import { ANSWER_MS, type RemoteGateOptions, within } from './remote-gate.js'

/** Places at model servers, which a worker asks the primary process for. */
export interface RemotePlaces extends Pick<SharedPlaces, 'take'> {
  /** Takes the answer of the primary process: a place at this server, or why there is none. */
  answer(id: number, answer: { readonly url: string } | { readonly reason: NoPlace }): void
}

export function createRemotePlaces(options: RemoteGateOptions): RemotePlaces {
  const { tell, queueTimeoutMs, ahead } = options
  const asked = new Map<number, (answer: SharedPlace | NoPlace) => void>()
  let next = 0
  const placeAt = (id: number, url: string, t: 'settle' | 'settled' = 'settle'): SharedPlace => {
    let isSettled = false
    return {
      url,
      settle: (end) => {
        if (isSettled) return
        isSettled = true
        tell({ t, id, end })
      },
    }
  }
  return {
    answer: (id, answer) => asked.get(id)?.('url' in answer ? placeAt(id, answer.url) : answer.reason),
    take: async (model, waiter, tried) => {
      if (waiter.destroyed) return 'caller-left'
      const known = ahead.get(waiter)
      if (known?.model === model && tried.length === 0) {
        ahead.delete(waiter)
        return placeAt(known.id, known.url, 'settled')
      }
      const id = next++
      const { promise, resolve } = createDeferred<SharedPlace | NoPlace>()
      asked.set(id, resolve)
      const onClose = () => resolve('caller-left')
      waiter.once('close', onClose)
      tell({ t: 'reserve', id, model, tried: [...tried] })
      const end = await within(options, queueTimeoutMs + ANSWER_MS, promise)
      waiter.off('close', onClose)
      asked.delete(id)
      // Ends a wait in the primary process, and gives back a place that may be on its way.
      if (end === 'caller-left' || end === 'silent') tell({ t: 'settle', id, end: { kind: 'caller-left' } })
      return end
    },
  }
}
