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

interface Word {
  symbols: number[]
  readonly times: number
}

/** How often each neighbour pair occurs, and in which words; knows the most frequent one. */
class PairCounts {
  readonly #pairs = new Map<number, { times: number; words: Set<number> }>()
  /** The pairs of each count. */
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
      const filed = this.#byTimes[pair.times] ?? new Set()
      this.#byTimes[pair.times] = filed
      filed.add(key)
    }
  }

  /** The pair that occurs most often, at least twice; the smaller key among equals. */
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
 * Learns byte-pair merges, most frequent first. Ties go to the smaller pair, so the same text always gives
 * the same vocabulary. Only the words that hold a merged pair are counted again.
 */
export function learnMerges(text: string, count: number): Merge[] {
  const frequency = new Map<string, number>()
  for (const word of cutPretokens(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
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
