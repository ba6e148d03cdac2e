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
/** Models per miner: as many as its list has at most. Beyond that the oldest that it no longer lists is forgotten. */
const MAX_MODELS = 512
/** Validators per miner, model and kind of request. */
const MAX_VALIDATORS = 256

interface Tally {
  good: number
  bad: number
  atMs: number
}

/** What the hub knows of the subnet now. */
export interface KnownSubnet {
  /** A validator's part of the stake of all whose reports count, 0 … 1. */
  say(validator: string): number
  /** Whether this miner lists this model. */
  lists(hotkey: string, model: string): boolean
}

/** What validators report about the answers of miners. */
export interface Verdicts {
  /** Ignores validators without a say, and models that the miner does not list unless they were noted while it did. */
  note(verdict: NotedVerdict): void
  /** Forgets the miners that are not among these hotkeys. */
  keepOnly(hotkeys: ReadonlySet<string>): void
  /** Share of the answers that was verified, 0 … 1, to users or to validators, whichever is less; undefined when no validator that counts has reported. */
  verified(hotkey: string, model: string): number | undefined
}

/** Of a miner and model, by the validator that reported. */
type Tallies = Map<string, Tally>

interface Pair {
  readonly organic: Tallies
  readonly own: Tallies
}

/**
 * Reports count by the stake of the validator: those who have not reported count as if all was verified. So a validator with a
 * fifth of the stake can take away a fifth at most, and none can decide alone unless it holds the majority. Answers to users and
 * answers to validators are counted apart and the lower share counts: a miner that is honest to validators only would otherwise
 * make up for every answer to a user.
 *
 * A report may name any hotkey and model, so what is kept is bounded by what miners list: invented names take up no room, and
 * none of them can make the hub forget what was reported about a miner that serves.
 */
export function createVerdicts(clock: Clock, { say, lists }: KnownSubnet): Verdicts {
  const miners = new Map<string, Map<string, Pair>>()
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
  /** Undefined when nothing is kept of this miner and model. */
  const pairOf = ({ hotkey, model }: NotedVerdict): Pair | undefined => {
    const models = miners.get(hotkey) ?? new Map<string, Pair>()
    const pair = models.get(model)
    if (pair === undefined && !lists(hotkey, model)) return undefined
    const kept = pair ?? { organic: new Map(), own: new Map() }
    models.delete(model)
    models.set(model, kept)
    miners.set(hotkey, models)
    if (models.size > MAX_MODELS) deleteFirst(models, (name) => !lists(hotkey, name))
    return kept
  }
  return {
    note: (verdict) => {
      const { validator, isVerified, isOrganic } = verdict
      if (say(validator) <= 0) return
      const pair = pairOf(verdict)
      if (pair === undefined) return
      const tallies = isOrganic ? pair.organic : pair.own
      if (!tallies.has(validator) && tallies.size >= MAX_VALIDATORS) {
        deleteFirst(tallies, (other) => say(other) <= 0)
        if (tallies.size >= MAX_VALIDATORS) return
      }
      const tally = decay(tallies.get(validator) ?? { good: 0, bad: 0, atMs: clock.monotonic() })
      tally[isVerified ? 'good' : 'bad']++
      tallies.set(validator, tally)
    },
    keepOnly: (hotkeys) => {
      for (const hotkey of miners.keys()) if (!hotkeys.has(hotkey)) miners.delete(hotkey)
    },
    verified: (hotkey, model) => {
      const pair = miners.get(hotkey)?.get(model)
      const shares =
        pair === undefined ? [] : [shareOf(pair.organic, BENEFIT.organic), shareOf(pair.own, BENEFIT.own)]
      const known = shares.filter((share) => share !== undefined)
      return known.length === 0 ? undefined : Math.min(...known)
    },
  }
}

/** Removes the oldest entry whose key is like this, if there is one. */
function deleteFirst(entries: Map<string, unknown>, isLike: (key: string) => boolean): void {
  for (const key of entries.keys())
    if (isLike(key)) {
      entries.delete(key)
      return
    }
}
