/** Words, numbers, punctuation and white space apart, as byte-level BPE tokenizers of the GPT family cut text. */
const PRETOKEN = / ?\p{L}+| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+(?!\S)|\s+/gu

export function cutPretokens(text: string): string[] {
  return text.match(PRETOKEN) ?? []
}

/** One learned merge: the two joined ids; its own id is 256 + its index. */
export interface Merge {
  readonly left: number
  readonly right: number
}

/** Ids stay below this, so that a pair fits one number key. */
const RADIX = 65_536

export const pairKey = (left: number, right: number): number => left * RADIX + right

/** Replaces each left-right neighbour pair by `id`, left to right. */
export function mergePair(symbols: readonly number[], left: number, right: number, id: number): number[] {
  const merged: number[] = []
  for (let at = 0; at < symbols.length; at++) {
    const symbol = symbols[at] ?? 0
    if (symbol === left && symbols[at + 1] === right) {
      merged.push(id)
      at += 1
    } else merged.push(symbol)
  }
  return merged
}

/**
 * Learns byte-pair merges, most frequent first. Ties go to the smaller pair, so the same text always gives
 * the same vocabulary. Only the words that hold a merged pair are counted again.
 */
export function learnMerges(text: string, count: number): Merge[] {
  const frequency = new Map<string, number>()
  for (const word of cutPretokens(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const words = [...frequency].map(([word, times]) => ({ symbols: [...Buffer.from(word)], times }))

  const pairs = new Map<number, { times: number; words: Set<number> }>()
  const tally = (index: number, sign: 1 | -1) => {
    const word = words[index]
    if (!word) return
    for (let at = 0; at + 1 < word.symbols.length; at++) {
      const key = pairKey(word.symbols[at] ?? 0, word.symbols[at + 1] ?? 0)
      let pair = pairs.get(key)
      if (!pair) {
        pair = { times: 0, words: new Set() }
        pairs.set(key, pair)
      }
      pair.times += sign * word.times
      if (sign === 1) pair.words.add(index)
      if (pair.times === 0) pairs.delete(key)
    }
  }
  for (let index = 0; index < words.length; index++) tally(index, 1)

  const merges: Merge[] = []
  while (merges.length < count) {
    let best = -1
    let bestTimes = 1
    for (const [key, { times }] of pairs) {
      if (times > bestTimes || (times === bestTimes && best !== -1 && key < best)) {
        best = key
        bestTimes = times
      }
    }
    if (best === -1) break
    const merge = { left: Math.floor(best / RADIX), right: best % RADIX }
    const id = 256 + merges.length
    for (const index of pairs.get(best)?.words ?? []) {
      const word = words[index]
      if (!word) continue
      tally(index, -1)
      word.symbols = mergePair(word.symbols, merge.left, merge.right, id)
      tally(index, 1)
    }
    merges.push(merge)
  }
  return merges
}
