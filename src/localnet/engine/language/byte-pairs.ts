/** Splits words, numbers, punctuation and white space, as the GPT family's byte-level BPE tokenizers do. */
const PRETOKEN = / ?\p{L}+| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+(?!\S)|\s+/gu

export function splitPretokens(text: string): string[] {
  return text.match(PRETOKEN) ?? []
}

/** One learned merge of two ids. Its own id is 256 + its index. */
export interface Merge {
  readonly left: number
  readonly right: number
}

/** Above every id, so that a pair fits in one number. */
const RADIX = 65_536

export const pairKey = (left: number, right: number): number => left * RADIX + right

/** Replaces each adjacent pair by `id`, from left to right. */
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

interface Word {
  symbols: number[]
  readonly times: number
}

/** How often each adjacent pair occurs, and in which words. */
class PairCounts {
  readonly #pairs = new Map<number, { times: number; words: Set<number> }>()
  /** Pairs by their count. */
  readonly #byTimes: Set<number>[] = []

  add({ symbols, times }: Word, index: number, sign: 1 | -1): void {
    for (let at = 0; at + 1 < symbols.length; at++) {
      const key = pairKey(symbols[at] ?? 0, symbols[at + 1] ?? 0)
      let pair = this.#pairs.get(key)
      if (!pair) {
        pair = { times: 0, words: new Set() }
        this.#pairs.set(key, pair)
      }
      this.#byTimes[pair.times]?.delete(key)
      pair.times += sign * times
      if (sign === 1) pair.words.add(index)
      const sameCount = this.#byTimes[pair.times] ?? new Set()
      this.#byTimes[pair.times] = sameCount
      sameCount.add(key)
    }
  }

  /** The most frequent pair that occurs at least twice; of equally frequent ones, the one with the smaller key. */
  mostFrequent(): { readonly key: number; readonly words: ReadonlySet<number> } | undefined {
    while (this.#byTimes.length > 2) {
      const keys = this.#byTimes.at(-1)
      if (!keys || keys.size === 0) {
        this.#byTimes.pop()
        continue
      }
      const key = Math.min(...keys)
      return { key, words: this.#pairs.get(key)?.words ?? new Set() }
    }
    return undefined
  }
}

/**
 * Learns byte-pair merges, most frequent first. Ties go to the smaller pair, so the same text always gives the same
 * vocabulary. After a merge only the words that contain the pair are recounted.
 */
export function learnMerges(text: string, count: number): Merge[] {
  const frequency = new Map<string, number>()
  for (const word of splitPretokens(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const words: Word[] = [...frequency].map(([word, times]) => ({ symbols: [...Buffer.from(word)], times }))
  const pairs = new PairCounts()
  for (const [index, word] of words.entries()) pairs.add(word, index, 1)

  const merges: Merge[] = []
  while (merges.length < count) {
    const best = pairs.mostFrequent()
    if (!best) break
    const merge = { left: Math.floor(best.key / RADIX), right: best.key % RADIX }
    const id = 256 + merges.length
    for (const index of [...best.words]) {
      const word = words[index]
      if (!word) continue
      const symbols = mergePair(word.symbols, merge.left, merge.right, id)
      if (symbols.length === word.symbols.length) continue
      pairs.add(word, index, -1)
      word.symbols = symbols
      pairs.add(word, index, 1)
    }
    merges.push(merge)
  }
  return merges
}
