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
  let turns = [...inRandomOrder(groupRows(rows), random)].map((group) => inRandomOrder(group, random))
  const drawn: Row[] = []
  const left = { ...limits }
  while (turns.length > 0 && left.rows > 0) {
    turns = turns.filter((turn) => {
      const row = turn.next().value
      if (row === undefined) return false
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

/** By miner and model. */
function groupRows<Row extends RowFacts>(rows: readonly Row[]): Row[][] {
  const miners = new Map<string, Map<string, Row[]>>()
  for (const row of rows) {
    const groups = miners.get(row.hotkey) ?? new Map<string, Row[]>()
    miners.set(row.hotkey, groups)
    const group = groups.get(row.model)
    if (group) group.push(row)
    else groups.set(row.model, [row])
  }
  return [...miners.values()].flatMap((groups) => [...groups.values()])
}

/** Empties the list in random order. No more work is done than is asked for: of 100,000 rows a bucket takes a hundred. */
function* inRandomOrder<T>(items: T[], random: () => number): Generator<T, undefined> {
  for (;;) {
    const last = items.pop()
    if (last === undefined) return
    // The place after the rest stands for the one that was taken off.
    const at = Math.floor(random() * (items.length + 1))
    const drawn = items[at]
    if (drawn === undefined) yield last
    else {
      items[at] = last
      yield drawn
    }
  }
}
