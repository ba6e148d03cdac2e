import type { Clock } from '../../../kernel/index.js'
import type { NotedVerdict } from './types.js'

/** Time in which a verdict loses half its weight: a miner that was repaired, or has begun to cheat, is seen within a day. */
const HALF_LIFE_MS = 6 * 60 * 60 * 1000
/**
 * Verified answers that every validator is assumed to have seen, so that a single failure does not decide. Of answers to users
 * more: evidence needs at least three bad ones, and more where rounds are frequent, before it bars a miner, and it gets none
 * once the miner is not asked.
 */
const BENEFIT = { own: 2, organic: 10 }
/** Less than this many verdicts, decayed, count as none. */
const FORGOTTEN = 0.25
/** Pairs of miner and model; beyond that the oldest are forgotten. */
const MAX_PAIRS = 16_384
/** Validators per pair and kind of request. */
const MAX_VALIDATORS = 256

interface Tally {
  good: number
  bad: number
  atMs: number
}

/** What validators report about the answers of miners. */
export interface Verdicts {
  note(verdict: NotedVerdict): void
  /** Share of the answers that was verified, 0 … 1, to users or to validators, whichever is less; undefined when no validator that counts has reported. */
  verified(hotkey: string, model: string): number | undefined
}

/** Of a miner and model, by the validator that reported. */
type Tallies = Map<string, Tally>

/**
 * Reports count by the stake of the validator: those who have not reported count as if all was verified. So a validator with a
 * fifth of the stake can take away a fifth at most, and none can decide alone unless it holds the majority. Answers to users and
 * answers to validators are counted apart and the lower share counts: a miner that is honest to validators only would otherwise
 * make up for every answer to a user.
 *
 * @param say a validator's part of the stake of all whose reports count, 0 … 1
 */
export function createVerdicts(clock: Clock, say: (validator: string) => number): Verdicts {
  const pairs = new Map<string, { readonly organic: Tallies; readonly own: Tallies }>()
  const decay = (tally: Tally) => {
    const factor = 0.5 ** ((clock.monotonic() - tally.atMs) / HALF_LIFE_MS)
    return { good: tally.good * factor, bad: tally.bad * factor, atMs: clock.monotonic() }
  }
  const shareOf = (tallies: Tallies, benefit: number): number | undefined => {
    let lost = 0
    let isReported = false
    for (const [validator, tally] of tallies) {
      const { good, bad } = decay(tally)
      const share = Math.min(1, Math.max(0, say(validator)))
      if (share === 0 || good + bad < FORGOTTEN) continue
      isReported = true
      lost += (share * bad) / (good + bad + benefit)
    }
    return isReported ? Math.max(0, 1 - lost) : undefined
  }
  return {
    note: ({ hotkey, model, validator, isVerified, isOrganic }) => {
      const name = `${hotkey} ${model}`
      const pair = pairs.get(name) ?? { organic: new Map(), own: new Map() }
      const tallies = isOrganic ? pair.organic : pair.own
      if (!tallies.has(validator) && tallies.size >= MAX_VALIDATORS) return
      const tally = decay(tallies.get(validator) ?? { good: 0, bad: 0, atMs: clock.monotonic() })
      tally[isVerified ? 'good' : 'bad']++
      tallies.set(validator, tally)
      pairs.delete(name)
      pairs.set(name, pair)
      const [oldest] = pairs.size > MAX_PAIRS ? pairs.keys() : []
      if (oldest !== undefined) pairs.delete(oldest)
    },
    verified: (hotkey, model) => {
      const pair = pairs.get(`${hotkey} ${model}`)
      const shares =
        pair === undefined ? [] : [shareOf(pair.organic, BENEFIT.organic), shareOf(pair.own, BENEFIT.own)]
      const known = shares.filter((share) => share !== undefined)
      return known.length === 0 ? undefined : Math.min(...known)
    },
  }
}
