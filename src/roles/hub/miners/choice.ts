/** What the choice of a miner depends on. */
export interface Candidate {
  readonly coldkey: string
  /** On chain, 0 … 1. */
  readonly incentive: number
  /** Share of its answers that validators verified, 0 … 1; undefined when none has reported. */
  readonly verified: number | undefined
  /** Measured; undefined before the first answer. */
  readonly tokensPerSecond: number | undefined
  readonly firstTokenMs: number | undefined
  readonly inFlight: number
}

export interface ChoiceLimits {
  /** Largest share of the miners of one coldkey. */
  readonly coldkeyShare: number
  /** Share of all new miners together. */
  readonly trickle: number
}

/** Below the first share of verified answers a miner is not asked; from the second on it counts in full. */
const UNWANTED = 0.5
const TRUSTED = 0.9
/** What remains of the quality of a verified miner without incentive: its uid may be new. */
const WITHOUT_INCENTIVE = 0.25
/** Bounds of each factor of the speed, relative to the median of the candidates. */
const SPEED = { least: 0.25, most: 2 }

/**
 * The share of the requests that each candidate gets; they add up to 1, or are all 0 when no candidate is wanted. The weight
 * is quality × speed ÷ (1 + requests in flight). Miners without any verdict, neither incentive nor reports, get the trickle;
 * all of the requests when there are no others.
 */
export function sharesOf(candidates: readonly Candidate[], limits: ChoiceLimits): number[] {
  const best = Math.max(0, ...candidates.map(({ incentive }) => incentive))
  const speeds = speedsOf(candidates)
  const known = candidates.map(isKnown)
  const weights = candidates.map((candidate, index) => {
    const quality = known[index] ? qualityOf(candidate, best) : 1
    return (quality * (speeds[index] ?? 1)) / (1 + candidate.inFlight)
  })
  const [proven, fresh] = [true, false].map((of) =>
    normalize(weights.map((w, i) => (known[i] === of ? w : 0))),
  )
  const trickle = sum(proven) === 0 ? 1 : sum(fresh) === 0 ? 0 : limits.trickle
  const shares = candidates.map((_, i) => (proven?.[i] ?? 0) * (1 - trickle) + (fresh?.[i] ?? 0) * trickle)
  return capGroups(
    shares,
    candidates.map(({ coldkey }) => coldkey),
    limits.coldkeyShare,
  )
}

/** @param random 0 ≤ x < 1 @returns the index it falls on; undefined when all shares are 0. */
export function pickShare(shares: readonly number[], random: number): number | undefined {
  let left = random * sum(shares)
  let last: number | undefined
  for (const [index, share] of shares.entries()) {
    if (share <= 0) continue
    last = index
    left -= share
    if (left < 0) return index
  }
  return last
}

function isKnown({ verified, incentive }: Candidate): boolean {
  return verified !== undefined || incentive > 0
}

/** From 0 to 1: what validators verified of it here, and what it earns on chain. */
export function qualityOf(
  { verified = 1, incentive }: Pick<Candidate, 'verified' | 'incentive'>,
  bestIncentive: number,
): number {
  const trust = clamp((verified - UNWANTED) / (TRUSTED - UNWANTED), 0, 1)
  const relative = bestIncentive === 0 ? 1 : incentive / bestIncentive
  return trust * (WITHOUT_INCENTIVE + (1 - WITHOUT_INCENTIVE) * relative)
}

/** Factors around 1: a miner that was not measured yet counts as the median. */
function speedsOf(candidates: readonly Candidate[]): number[] {
  const rate = median(candidates.flatMap(({ tokensPerSecond }) => tokensPerSecond ?? []))
  const wait = median(candidates.flatMap(({ firstTokenMs }) => firstTokenMs ?? []))
  return candidates.map(({ tokensPerSecond, firstTokenMs }) => {
    const byRate = rate && tokensPerSecond !== undefined ? tokensPerSecond / rate : 1
    const byWait = wait && firstTokenMs !== undefined ? wait / Math.max(1, firstTokenMs) : 1
    return clamp(byRate, SPEED.least, SPEED.most) * clamp(byWait, SPEED.least, SPEED.most)
  })
}

/**
 * Cuts the share of every group to the cap and gives the rest to the others in proportion. With fewer groups than the cap
 * needs, all groups get the same.
 */
export function capGroups(shares: readonly number[], groups: readonly string[], cap: number): number[] {
  const totals = new Map<string, number>()
  for (const [index, share] of shares.entries()) {
    const group = groups[index] ?? ''
    if (share > 0) totals.set(group, (totals.get(group) ?? 0) + share)
  }
  const capped = capTotals(totals, Math.max(cap, 1 / totals.size))
  return shares.map((share, index) => {
    const group = groups[index] ?? ''
    const total = totals.get(group) ?? 0
    return share > 0 ? (share / total) * (capped.get(group) ?? 0) : 0
  })
}

/** Each pass fixes at least one group at the cap, so it ends. */
function capTotals(totals: ReadonlyMap<string, number>, cap: number): Map<string, number> {
  const fixed = new Map<string, number>()
  for (;;) {
    const open = [...totals].filter(([group]) => !fixed.has(group))
    const rest = 1 - fixed.size * cap
    const total = sum(open.map(([, share]) => share))
    const over = open.filter(([, share]) => (share / total) * rest > cap + 1e-12)
    if (over.length === 0)
      return new Map([...fixed, ...open.map(([group, share]) => [group, (share / total) * rest] as const)])
    for (const [group] of over) fixed.set(group, cap)
  }
}

function normalize(weights: readonly number[]): number[] {
  const total = sum(weights)
  return weights.map((weight) => (total === 0 ? 0 : weight / total))
}

function sum(numbers: readonly number[] = []): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
