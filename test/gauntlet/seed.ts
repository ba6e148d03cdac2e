import { createRandom, type Random } from '../../src/prompts/random.js'

/** Seed of all random draws of a run, an integer. Each run prints it; the variable of the same name repeats its draws. */
export const GAUNTLET_SEED = Number(process.env.GAUNTLET_SEED)

/** An independent stream of draws for each name. */
export function drawsOf(name: string): Random {
  return createRandom(`${GAUNTLET_SEED} ${name}`)
}
