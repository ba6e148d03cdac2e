import type { BlockHead, Metagraph, Neuron } from './types.js'

/** Why a metagraph cannot follow from the previous one. */
export interface Implausibility {
  readonly what: 'height' | 'neurons' | 'hotkeys' | 'permits' | 'stake'
  readonly before: number
  readonly now: number
}

/** How much of a subnet its owner's settings allow at once, and so what may disappear when they change. */
export interface SubnetLimits {
  /** MaxAllowedUids: trimming removes neurons down to this number and gives the others new uids (spec 475). */
  readonly maxUids: number
  /** MaxAllowedValidators; 1 under Null consensus (spec 474). */
  readonly maxPermits: number
}

const UNLIMITED: SubnetLimits = { maxUids: Number.POSITIVE_INFINITY, maxPermits: Number.POSITIVE_INFINITY }

/** Endpoints are seconds apart; ten blocks of finney are two minutes, which is more than lag. */
export const LAG_TOLERANCE_BLOCKS = 10

/** The chain registers about one neuron per block, and a few more in bursts. */
const REGISTRATION_BURST = 8
/** One epoch of the validator, within which a subnet does not replace all its neurons. */
const TURNOVER_BLOCKS = 360
/** Fewer permits than this may well change all at once. */
const FEW_PERMITS = 4

/**
 * Finds what the chain's rules forbid between two metagraphs: the height falls; neurons disappear (except those trimmed to
 * `limits`) or appear or change hotkeys faster than they can register; the permits (beyond those that `limits` ended) or the
 * stake of the subnet vanish.
 */
export function findImplausibility(
  last: Metagraph,
  next: Metagraph,
  limits: SubnetLimits = UNLIMITED,
): Implausibility | undefined {
  const found = (what: Implausibility['what'], before: number, now: number) => ({ what, before, now })
  const blocks = next.block - last.block
  if (blocks < -LAG_TOLERANCE_BLOCKS) return found('height', last.block, next.block)
  const [before, now] = [last.neurons.length, next.neurons.length]
  const registrations = REGISTRATION_BURST + Math.abs(blocks)
  const trimmed = before > limits.maxUids && now >= limits.maxUids ? Math.max(0, before - now) : 0
  if (now < before - trimmed || now > before + registrations) return found('neurons', before, now)

  const kept = last.neurons.filter(({ hotkey }) => next.find(hotkey) !== undefined).length
  const isTurnover = kept === 0 && before > 1 && blocks < TURNOVER_BLOCKS
  if (before - kept > registrations + trimmed || isTurnover) return found('hotkeys', before, kept)

  const permitted = last.neurons.filter(({ validatorPermit }) => validatorPermit)
  const still = permitted.filter(({ hotkey }) => next.find(hotkey)?.validatorPermit === true).length
  const hasNone = !next.neurons.some(({ validatorPermit }) => validatorPermit)
  const registered = permitted.filter(({ hotkey }) => next.find(hotkey) !== undefined).length
  const lostMost = registered >= FEW_PERMITS && still < Math.min(registered, limits.maxPermits) / 2
  if (permitted.length > 0 && (hasNone || lostMost)) return found('permits', permitted.length, still)

  const staying = trimmed > 0 ? last.neurons.filter(({ hotkey }) => next.find(hotkey)) : last.neurons
  const [stakeBefore, stakeNow] = [totalStake(staying), totalStake(next.neurons)]
  if (stakeNow < stakeBefore / 10) return found('stake', stakeBefore, stakeNow)
  return undefined
}

function totalStake(neurons: readonly Neuron[]): number {
  return neurons.reduce((sum, { stakeTao }) => sum + stakeTao, 0)
}

/** Blocks a head may always jump, whatever the clock says. */
const JUMP_BLOCKS = 50

/** Rejects heads too far ahead of the elapsed time: an impossible height would hide every honest head after it. */
export interface HeadGuard {
  /** @returns false for a head that is too far ahead and not yet confirmed by every endpoint. */
  admits(head: BlockHead, endpoint: string, blockTimeMs: number): boolean
}

/**
 * @param endpointCount a head too far ahead is accepted once this many endpoints have shown one.
 * @param now milliseconds on a clock that also runs while the machine is suspended.
 */
export function createHeadGuard(endpointCount: number, now: () => number): HeadGuard {
  let last: { readonly number: number; readonly at: number } | undefined
  const endpointsAhead = new Set<string>()
  return {
    admits(head, endpoint, blockTimeMs) {
      const at = now()
      const possible = last
        ? last.number + JUMP_BLOCKS + (2 * Math.max(0, at - last.at)) / blockTimeMs
        : Number.POSITIVE_INFINITY
      if (head.number > possible) {
        endpointsAhead.add(endpoint)
        if (endpointsAhead.size < endpointCount) return false
      }
      endpointsAhead.clear()
      if (last === undefined || head.number > last.number) last = { number: head.number, at }
      return true
    },
  }
}
