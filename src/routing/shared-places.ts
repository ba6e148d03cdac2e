import type { AttemptEnd, NoPlace, UpstreamPlaces, Waiter } from './upstream-places.js'
import type { UpstreamSet } from './upstream-set.js'

/** A place at a model server for one attempt. */
export interface SharedPlace {
  readonly url: string
  /** Gives it back; further calls do nothing. */
  settle(end: AttemptEnd): void
}

/**
 * Places at model servers that several processes share. One process counts them, so that the servers' limits hold for all that
 * forward requests.
 */
export interface SharedPlaces {
  /** A place without waiting; undefined when there is none. */
  tryTake(model: string): SharedPlace | undefined
  take(model: string, waiter: Waiter, tried: readonly string[]): SharedPlace | Promise<SharedPlace | NoPlace>
}

/** Shares the places that this process counts. */
export function sharePlaces(places: UpstreamPlaces, upstreams: UpstreamSet): SharedPlaces {
  return {
    tryTake: (model) => {
      const place = places.tryTake(model)
      return place && { url: place.upstream.url, settle: place.settle }
    },
    take: (model, waiter, tried) => {
      const known = new Set(tried.flatMap((url) => upstreams.find(url) ?? []))
      const place = places.take(model, waiter, known)
      const describe = (taken: Awaited<typeof place>): SharedPlace | NoPlace =>
        typeof taken === 'string' ? taken : { url: taken.upstream.url, settle: taken.settle }
      return place instanceof Promise
        ? place.then(describe)
        : { url: place.upstream.url, settle: place.settle }
    },
  }
}

/** Places that another process counts. */
export function useSharedPlaces(
  sharedPlaces: Pick<SharedPlaces, 'take'>,
  upstreams: UpstreamSet,
): Pick<UpstreamPlaces, 'take'> {
  return {
    take: async (model, waiter, tried) => {
      // Callers choose names: no question is sent for one that no server has.
      if (!upstreams.has(model)) return 'none'
      const place = await sharedPlaces.take(
        model,
        waiter,
        [...tried].map(({ url }) => url),
      )
      if (typeof place === 'string') return place
      const upstream = upstreams.find(place.url)
      if (upstream !== undefined) return { upstream, settle: place.settle }
      // The server was removed meanwhile; `caller-left` counts neither for nor against it.
      place.settle({ kind: 'caller-left' })
      return 'none'
    },
  }
}
