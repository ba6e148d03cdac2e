import type { BlockHead } from './types.js'

/** Blocks in which an extrinsic may be taken: from `birth`, for `period`, a power of two. */
export interface Era {
  readonly birth: BlockHead
  readonly period: number
}

/** Long enough for a slow chain, short enough not to haunt a later epoch. */
const LONGEST_PERIOD = 64
/** Final blocks are two or three behind; with a shorter life than this nothing would be left of it. */
const SHORTEST_PERIOD = 8
/** Finality that lags by more is no place to be born at: the life would be over before it began (polkadot-js api). */
const MOST_FINALITY_LAG = 5

/**
 * The longest life that ends before `untilBlock`: the chain itself then keeps what belongs to one epoch of weights
 * out of the next, whatever happens to this process or to the network.
 *
 * @returns undefined when too few blocks are left.
 */
export function chooseEra(best: BlockHead, final: BlockHead, untilBlock = Infinity): Era | undefined {
  const birth = best.number - final.number > MOST_FINALITY_LAG ? best : final
  const left = Math.min(LONGEST_PERIOD, untilBlock - birth.number)
  if (left < SHORTEST_PERIOD || untilBlock <= best.number + 1) return undefined
  return { birth, period: 2 ** Math.floor(Math.log2(left)) }
}
