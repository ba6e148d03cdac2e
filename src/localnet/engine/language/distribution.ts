import type { GumbelDraw } from './draws.js'

/** The unlikely part of the vocabulary, the same at every position of one model. */
export class Tail {
  /** Logit of every id, far below those of any head. */
  readonly logits: Float64Array
  readonly largest: number
  readonly #masses = new Map<number, number>()

  constructor(logits: Float64Array) {
    this.logits = logits
    this.largest = Math.max(...logits)
  }

  /** Sum of exp(logit / temperature). */
  massAt(temperature: number): number {
    const known = this.#masses.get(temperature)
    if (known !== undefined) return known
    const mass = this.logits.reduce((sum, logit) => sum + Math.exp(logit / temperature), 0)
    if (this.#masses.size < 1000) this.#masses.set(temperature, mass)
    return mass
  }
}

/**
 * The full next-token distribution at one position, stored sparsely: a short head in order of rank, some ids pushed
 * below the tail, and all others at their tail logit. Logprobs and ranks are exact over the whole vocabulary.
 */
export class Distribution {
  readonly #tail: Tail
  readonly #headIds: readonly number[]
  readonly #headLogits: readonly number[]
  readonly #sunk: ReadonlyMap<number, number>
  readonly #logMass: number

  /** @param sunk ids pushed below the tail, with their logits */
  constructor(
    tail: Tail,
    headIds: readonly number[],
    headLogits: readonly number[],
    sunk: ReadonlyMap<number, number>,
  ) {
    this.#tail = tail
    this.#headIds = headIds
    this.#headLogits = headLogits
    this.#sunk = sunk
    this.#logMass = Math.log(this.#massAt(1))
  }

  /** Sum of exp(logit / temperature). */
  #massAt(temperature: number): number {
    let mass = this.#tail.massAt(temperature)
    const { logits } = this.#tail
    for (let index = 0; index < this.#headIds.length; index++) {
      const tailLogit = logits[this.#headIds[index] ?? 0] ?? 0
      mass += Math.exp((this.#headLogits[index] ?? 0) / temperature) - Math.exp(tailLogit / temperature)
    }
    for (const [id, logit] of this.#sunk) {
      mass += Math.exp(logit / temperature) - Math.exp((logits[id] ?? 0) / temperature)
    }
    return mass
  }

  /**
   * The id at this fraction of the cumulative probability, most likely ids first, at a temperature above 0; undefined
   * in the rare case that it lies beyond the head.
   */
  pickFromHead(temperature: number, fraction: number): number | undefined {
    let left = fraction * this.#massAt(temperature)
    for (let index = 0; index < this.#headIds.length; index++) {
      left -= Math.exp((this.#headLogits[index] ?? 0) / temperature)
      if (left < 0) return this.#headIds[index]
    }
    return undefined
  }

  /**
   * The id with the largest logit / temperature + noise, at a temperature above 0; undefined in the rare case that noise
   * could lift one beyond the head above it.
   */
  pickByNoise(temperature: number, { gumbelOf, highest }: GumbelDraw): number | undefined {
    let picked: number | undefined
    let best = Number.NEGATIVE_INFINITY
    for (let index = 0; index < this.#headIds.length; index++) {
      const scaled = (this.#headLogits[index] ?? 0) / temperature
      if (scaled + highest <= best) return picked
      const id = this.#headIds[index] ?? 0
      const score = scaled + gumbelOf(id)
      if (score <= best) continue
      best = score
      picked = id
    }
    return this.#tail.largest / temperature + highest <= best ? picked : undefined
  }

  /** The likely ids, most likely first; all others are far less likely. */
  get head(): readonly number[] {
    return this.#headIds
  }

  get size(): number {
    return this.#tail.logits.length
  }

  /** −Infinity for an id outside the vocabulary. */
  logprobOf(id: number): number {
    return this.#logitOf(id) - this.#logMass
  }

  /** 1 for the most likely id; equally likely ids share the better rank. */
  rankOf(id: number): number {
    const index = this.#headIds.indexOf(id)
    if (index >= 0) return index + 1
    const logit = this.#logitOf(id)
    let rank = 1
    for (const other of this.dense()) if (other > logit) rank += 1
    return rank
  }

  /** The `count` most likely ids, in order. */
  top(count: number): readonly number[] {
    if (count <= this.#headIds.length) return this.#headIds.slice(0, count)
    const dense = this.dense()
    return [...dense.keys()].sort((a, b) => (dense[b] ?? 0) - (dense[a] ?? 0) || a - b).slice(0, count)
  }

  /** Logprobs of the whole vocabulary, by id, in a new array. */
  logprobs(): Float64Array {
    const dense = this.dense()
    for (let id = 0; id < dense.length; id++) dense[id] = (dense[id] ?? 0) - this.#logMass
    return dense
  }

  /** Logits of the whole vocabulary, by id, in a new array. */
  dense(): Float64Array {
    const dense = this.#tail.logits.slice()
    for (const [id, logit] of this.#sunk) dense[id] = logit
    for (const [index, id] of this.#headIds.entries()) dense[id] = this.#headLogits[index] ?? 0
    return dense
  }

  #logitOf(id: number): number {
    const index = this.#headIds.indexOf(id)
    if (index >= 0) return this.#headLogits[index] ?? 0
    return this.#sunk.get(id) ?? this.#tail.logits[id] ?? Number.NEGATIVE_INFINITY
  }
}
