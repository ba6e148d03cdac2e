import type { BlockHead, Metagraph } from './types.js'

/** Why a picture of a subnet cannot follow from the one before it. */
export interface Implausibility {
  readonly what: 'height' | 'neurons' | 'hotkeys' | 'permits' | 'stake'
  readonly before: number
  readonly now: number
}

/** Endpoints are seconds apart; two minutes of finney's blocks are not lag any more. */
export const LAG_TOLERANCE_BLOCKS = 10

/** The chain registers about one neuron per block, in bursts a few more. */
const REGISTRATION_BURST = 8
/** Within so many blocks, one epoch of the validator, a subnet does not change all its neurons. */
const TURNOVER_BLOCKS = 360
/** Fewer permits than this may well change all at once. */
const FEW_PERMITS = 4

/**
 * What the chain's own rules forbid between two pictures: height falls, neurons disappear (uids are reused, never
 * given back) or appear faster than they can register, everyone or more than can register is replaced, the permits or
 * the stake of the subnet vanish.
 */
export function findImplausibility(last: Metagraph, next: Metagraph): Implausibility | undefined {
  const doubt = (what: Implausibility['what'], before: number, now: number): Implausibility => ({
    what,
    before,
    now,
  })
  const blocks = next.block - last.block
  if (blocks < -LAG_TOLERANCE_BLOCKS) return doubt('height', last.block, next.block)
  const [before, now] = [last.neurons.length, next.neurons.length]
  const registrations = REGISTRATION_BURST + Math.abs(blocks)
  if (now < before || now > before + registrations) return doubt('neurons', before, now)

  const kept = last.neurons.filter(({ hotkey }) => next.find(hotkey) !== undefined).length
  const isTurnover = kept === 0 && before > 1 && blocks < TURNOVER_BLOCKS
  if (before - kept > registrations || isTurnover) return doubt('hotkeys', before, kept)

  const permitted = last.neurons.filter(({ validatorPermit }) => validatorPermit)
  const still = permitted.filter(({ hotkey }) => next.find(hotkey)?.validatorPermit === true).length
  const hasNone = !next.neurons.some(({ validatorPermit }) => validatorPermit)
  const registered = permitted.filter(({ hotkey }) => next.find(hotkey) !== undefined).length
  const isMostGone = registered >= FEW_PERMITS && still < registered / 2
  if (permitted.length > 0 && (hasNone || isMostGone)) return doubt('permits', permitted.length, still)

  const [stakeBefore, stakeNow] = [totalStake(last), totalStake(next)]
  if (stakeNow < stakeBefore / 10) return doubt('stake', stakeBefore, stakeNow)
  return undefined
}

function totalStake({ neurons }: Metagraph): number {
  return neurons.reduce((sum, { stakeTao }) => sum + stakeTao, 0)
}

/** Blocks a head may jump at once, whatever the clock says. */
const JUMP_BLOCKS = 50

/** Heads in time: a height nobody could have reached would hide every honest head after it. */
export interface HeadGuard {
  /** @returns false for a height that time does not allow and another endpoint has yet to confirm. */
  admits(head: BlockHead, endpoint: string, blockTimeMs: number): boolean
}

/**
 * @param endpointCount once all of them show such a height it is believed: nobody is left to contradict.
 * @param now milliseconds that go on while the machine sleeps.
 */
export function createHeadGuard(endpointCount: number, now: () => number): HeadGuard {
  let last: { readonly number: number; readonly at: number } | undefined
  const witnesses = new Set<string>()
  return {
    admits(head, endpoint, blockTimeMs) {
      const at = now()
      const possible = last
        ? last.number + JUMP_BLOCKS + (2 * Math.max(0, at - last.at)) / blockTimeMs
        : Number.POSITIVE_INFINITY
      if (head.number > possible) {
        witnesses.add(endpoint)
        if (witnesses.size < endpointCount) return false
      }
      witnesses.clear()
      if (last === undefined || head.number > last.number) last = { number: head.number, at }
      return true
    },
  }
}
