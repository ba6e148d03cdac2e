import type { Random } from '../../../prompts/index.js'

/** A copy in random order (Fisher–Yates). */
export function shuffle<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random.integer(0, last)
    const [a, b] = [shuffled[last], shuffled[other]]
    if (a === undefined || b === undefined) continue
    shuffled[last] = b
    shuffled[other] = a
  }
  return shuffled
}

/** One item, or undefined when there is none. */
export function pickOne<T>(items: readonly T[], random: Random): T | undefined {
  return items[random.integer(0, items.length - 1)]
}
