/**
 * Which rows stay where they are when a list is put into another order; all others are moved. It is the longest sequence of
 * rows that already follow each other as wanted, so that few rows move.
 */
export function rowsThatStay<K>(current: readonly K[], wanted: readonly K[]): ReadonlySet<K> {
  const places = new Map(wanted.map((key, place) => [key, place]))
  const listed = current.filter((key) => places.has(key))
  const placeAt = (index: number) => places.get(listed[index] as K) ?? -1
  /** Index of the row that ends the best sequence of each length. */
  const ends: number[] = []
  const before: (number | undefined)[] = []
  for (let index = 0; index < listed.length; index++) {
    const length = firstNotBelow(ends, placeAt(index), placeAt)
    before[index] = ends[length - 1]
    ends[length] = index
  }
  const staying = new Set<K>()
  for (let index = ends.at(-1); index !== undefined; index = before[index]) staying.add(listed[index] as K)
  return staying
}

function firstNotBelow(ends: readonly number[], place: number, placeAt: (index: number) => number): number {
  let [low, high] = [0, ends.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (placeAt(ends[middle] ?? 0) < place) low = middle + 1
    else high = middle
  }
  return low
}
