import type { Random } from './random.js'

/** Whole numbers that clients take as seeds: torch and most libraries read 31 bits. */
const SEED_BITS = 31

/** People type small seeds, programs draw any of 31 bits: half are of any size, half of any value. */
export function usualSeed(random: Random): number {
  const bits = random.next() < 0.5 ? random.integer(4, SEED_BITS) : SEED_BITS
  return random.integer(1, 2 ** bits - 1)
}

/** Above 0 and at most 1, with one or two decimals as people write it. */
export function usualTemperature(random: Random): number {
  const kind = random.next()
  const steps = kind < 0.5 ? 10 : kind < 0.75 ? 20 : 100
  return random.integer(1, steps) / steps
}

/** Round numbers of which people choose max_tokens. */
const STEPS = [256, 100, 128, 50]

/** A length of the range, more often a round one. */
export function usualLength(random: Random, range: { readonly min: number; readonly max: number }): number {
  const step = random.pick([...STEPS, 1])
  const [first, last] = [Math.ceil(range.min / step), Math.floor(range.max / step)]
  return first > last ? anyLength(random, range) : random.integer(first, last) * step
}

export function anyLength(
  random: Random,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  return random.integer(min, max)
}
