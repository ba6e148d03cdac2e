/** What the choice of an upstream depends on. */
export interface Load {
  readonly inFlight: number
  readonly maxInFlight: number
  readonly weight: number
  /** Requests the server has from others, by its own count. */
  readonly foreign: number
}

/** The least busy of those with a free place, by load per weight; equals are taken at random. */
export function chooseLeastBusy<U extends Load>(
  candidates: Iterable<U>,
  random: () => number,
): U | undefined {
  let best: U | undefined
  let lowest = Number.POSITIVE_INFINITY
  let equals = 0
  for (const candidate of candidates) {
    if (candidate.inFlight >= candidate.maxInFlight) continue
    const load = (candidate.inFlight + candidate.foreign + 1) / candidate.weight
    if (load < lowest) {
      best = candidate
      lowest = load
      equals = 1
    } else if (load === lowest) {
      equals++
      if (random() * equals < 1) best = candidate
    }
  }
  return best
}
