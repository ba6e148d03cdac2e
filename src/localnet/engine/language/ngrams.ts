/** Tokens that may follow a context, most likely first, with their interpolated logprobs. */
export interface Candidates {
  readonly ids: Int32Array
  readonly logProbabilities: Float64Array
}

interface Followers {
  total: number
  readonly counts: Map<number, number>
}

const RADIX = 8192
const CANDIDATE_LIMIT = 64
const CACHE_LIMIT = 20_000

/**
 * Counts of token sequences up to `order`, with Witten-Bell interpolation: the more different tokens followed a
 * context, the more weight the next shorter context has.
 */
export class Ngrams {
  readonly #order: number
  readonly #contexts = new Map<number, Followers>()
  readonly #unigram: Float64Array
  readonly #common: readonly number[]
  readonly #cache = new Map<number, Candidates>()
  readonly #scratch: Float64Array

  /** @param documents token ids; order ≤ 4, ids below 8192 */
  constructor(documents: readonly (readonly number[])[], order: number, vocabularySize: number) {
    this.#order = order
    this.#unigram = new Float64Array(vocabularySize).fill(0.05)
    this.#scratch = new Float64Array(vocabularySize)
    for (const ids of documents) this.#count(ids)
    const total = this.#unigram.reduce((sum, count) => sum + count, 0)
    for (let id = 0; id < vocabularySize; id++) this.#unigram[id] = (this.#unigram[id] ?? 0) / total
    this.#common = [...this.#unigram.keys()]
      .sort((a, b) => this.probabilityOf(b) - this.probabilityOf(a))
      .slice(0, CANDIDATE_LIMIT)
  }

  /** Probability of a token without context. */
  probabilityOf(id: number): number {
    return this.#unigram[id] ?? 0
  }

  #count(ids: readonly number[]): void {
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at] ?? 0
      this.#unigram[id] = (this.#unigram[id] ?? 0) + 1
      for (let length = 1; length < this.#order && length <= at; length++) {
        const key = contextKey(ids, at, length)
        let followers = this.#contexts.get(key)
        if (!followers) {
          followers = { total: 0, counts: new Map() }
          this.#contexts.set(key, followers)
        }
        followers.total += 1
        followers.counts.set(id, (followers.counts.get(id) ?? 0) + 1)
      }
    }
  }

  /** The 64 most likely tokens after `recent`. */
  candidatesAfter(recent: readonly number[]): Candidates {
    const longest = Math.min(this.#order - 1, recent.length)
    const cacheKey = contextKey(recent, recent.length, longest)
    const cached = this.#cache.get(cacheKey)
    if (cached) return cached

    const probability = this.#scratch
    probability.set(this.#unigram)
    const considered = new Set<number>(this.#common)
    for (let length = 1; length <= longest; length++) {
      const followers = this.#contexts.get(contextKey(recent, recent.length, length))
      if (!followers) break
      const denominator = followers.total + followers.counts.size
      const carried = followers.counts.size / denominator
      for (let id = 0; id < probability.length; id++) probability[id] = (probability[id] ?? 0) * carried
      for (const [id, count] of followers.counts) {
        probability[id] = (probability[id] ?? 0) + count / denominator
        considered.add(id)
      }
    }
    const ids = Int32Array.from(considered)
      .sort((a, b) => (probability[b] ?? 0) - (probability[a] ?? 0) || a - b)
      .slice(0, CANDIDATE_LIMIT)
    const candidates = {
      ids,
      logProbabilities: Float64Array.from(ids, (id) => Math.log(probability[id] ?? 0)),
    }
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear()
    this.#cache.set(cacheKey, candidates)
    return candidates
  }
}

/** The `length` ids before `end` as one number, unique across lengths. */
function contextKey(ids: readonly number[], end: number, length: number): number {
  let key = length
  for (let at = end - length; at < end; at++) key = key * RADIX + (ids[at] ?? 0)
  return key
}
