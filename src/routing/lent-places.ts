import type { AttemptEnd, NoPlace, UpstreamPlaces, Waiter } from './upstream-places.js'
import type { UpstreamSet } from './upstream-set.js'

/** A place at a model server, lent for one attempt. */
export interface LentPlace {
  readonly url: string
  /** Gives it back; further calls do nothing. */
  settle(end: AttemptEnd): void
}

/**
 * Places at model servers, by their URLs: one process counts them, so that the servers' limits hold for all processes that
 * forward requests.
 */
export interface PlaceLender {
  take(model: string, waiter: Waiter, tried: readonly string[]): LentPlace | Promise<LentPlace | NoPlace>
}

/** What lends the places of this process. */
export function lendPlaces(places: UpstreamPlaces, upstreams: UpstreamSet): PlaceLender {
  return {
    take: (model, waiter, tried) => {
      const known = new Set(tried.flatMap((url) => upstreams.find(url) ?? []))
      const place = places.take(model, waiter, known)
      const lend = (taken: Awaited<typeof place>): LentPlace | NoPlace =>
        typeof taken === 'string' ? taken : { url: taken.upstream.url, settle: taken.settle }
      return place instanceof Promise ? place.then(lend) : { url: place.upstream.url, settle: place.settle }
    },
  }
}

/** Places that another process lends. */
export function borrowPlaces(lender: PlaceLender, upstreams: UpstreamSet): UpstreamPlaces {
  return {
    take: async (model, waiter, tried) => {
      // Callers choose names; one that no server has is not worth a question.
      if (!upstreams.has(model)) return 'none'
      const lent = await lender.take(
        model,
        waiter,
        [...tried].map(({ url }) => url),
      )
      if (typeof lent === 'string') return lent
      const upstream = upstreams.find(lent.url)
      if (upstream !== undefined) return { upstream, settle: lent.settle }
      // It was removed meanwhile, which says nothing about it.
      lent.settle({ kind: 'caller-left' })
      return 'none'
    },
  }
}
