import type { RowFacts } from './row.js'

/** Bounds on a bucket. */
export interface DrawLimits {
  readonly rows: number
  readonly bytes: number
  readonly values: number
}

/**
 * Draws the rows of a bucket at random, with as equal a number as possible of each miner and model: a miner that floods the
 * hub with requests of its own displaces only its own answers. A row that no longer fits is skipped.
 *
 * @param random 0 ≤ x < 1
 */
export function drawRows<Row extends RowFacts>(
  rows: readonly Row[],
  limits: DrawLimits,
  random: () => number,
): Row[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.hotkey, row.model])
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  let turns = shuffle([...groups.values()], random).map((group) => shuffle(group, random).values())
  const drawn: Row[] = []
  const left = { ...limits }
  while (turns.length > 0 && left.rows > 0) {
    turns = turns.filter((turn) => {
      const { value: row, done } = turn.next()
      if (done) return false
      if (left.rows > 0 && row.bytes <= left.bytes && row.values <= left.values) {
        drawn.push(row)
        left.rows--
        left.bytes -= row.bytes
        left.values -= row.values
      }
      return true
    })
  }
  return drawn
}

/** In random order. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}
