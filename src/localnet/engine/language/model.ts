import { Distribution, Tail } from './distribution.js'
import { Ngrams } from './ngrams.js'
import { fractionOf, mixHash } from './random.js'
import type { Tokenizer } from './tokenizer.js'
import { combineVariations, noiseOn, storedWeight, type Variation } from './variation.js'

/**
 * Shape of the distribution. These values make sampled answers look like a large model's: at temperature 1 about one
 * token in five is not the most likely one, and a rank above 25 is rarer than one in a million.
 * docs/development/development-engine.md has the measurements.
 */
const SHARPNESS = 1
/** Subtracted per rank, in nats, so that no two candidates tie. */
const RANK_COST = 0.6
/** How far the context can move a candidate up or down, in nats. */
const SWAY = 2
/** The same inside a word; small, so that words stay words. */
const SWAY_IN_WORD = 0.3
/** Share of the content words that the context rules out. */
const OFF_TOPIC_SHARE = 0.3
const HEAD_DEPTH = 18
const TAIL_DEPTH = 26
const SPECIAL_DEPTH = 34
/** The context takes effect in blocks of this many tokens. */
const BLOCK = 8
/** Words above this share are never ruled out, so that sentences stay grammatical. */
const COMMON_SHARE = 0.0012

/** What a model learned from its text. */
interface Knowledge {
  readonly ngrams: Ngrams
  readonly tail: Tail
  /** How far the context can move each token, in nats. */
  readonly sway: Float64Array
  /** 1 for a token that starts an uncommon word. */
  readonly isContent: Uint8Array
}

/** A small language model: next-token distributions that depend on all earlier tokens. Immutable. */
export class LanguageModel {
  readonly name: string
  readonly tokenizer: Tokenizer
  readonly seed: number
  readonly #knowledge: Knowledge
  readonly #variation: Variation

  private constructor(
    name: string,
    tokenizer: Tokenizer,
    seed: number,
    knowledge: Knowledge,
    variation: Variation,
  ) {
    this.name = name
    this.tokenizer = tokenizer
    this.seed = seed
    this.#knowledge = knowledge
    this.#variation = variation
  }

  /** @param settings.order longest token sequence to count, up to 4 */
  static train(
    name: string,
    tokenizer: Tokenizer,
    documents: readonly (readonly number[])[],
    settings: { readonly order: number; readonly seed: number },
  ): LanguageModel {
    const ngrams = new Ngrams(documents, settings.order, tokenizer.size)
    const logits = new Float64Array(tokenizer.size)
    const isContent = new Uint8Array(tokenizer.size)
    const sway = new Float64Array(tokenizer.size)
    for (let id = 0; id < tokenizer.size; id++) {
      const probability = ngrams.probabilityOf(id)
      const jitter = 0.1 * fractionOf(mixHash(settings.seed, id))
      const depth = tokenizer.isSpecial(id)
        ? SPECIAL_DEPTH
        : TAIL_DEPTH + Math.min(3, -0.3 * Math.log(probability))
      logits[id] = -depth - jitter
      const text = tokenizer.textOf(id)
      sway[id] = /^[\p{L}\ufffd]/u.test(text) ? SWAY_IN_WORD : SWAY
      if (probability < COMMON_SHARE && /^ \p{L}/u.test(text)) isContent[id] = 1
    }
    const knowledge = { ngrams, tail: new Tail(logits), sway, isContent }
    return new LanguageModel(name, tokenizer, settings.seed, knowledge, {})
  }

  /** A copy of the model that differs by this, on top of what this one already differs by. */
  vary(variation: Variation): LanguageModel {
    const combined = combineVariations(this.#variation, variation)
    return new LanguageModel(this.name, this.tokenizer, this.seed, this.#knowledge, combined)
  }

  start(): Context {
    return new Context(this)
  }

  /**
   * The distribution of the next token, by the same rule in prompts and answers.
   *
   * @param hashes of the context up to the last whole block, and of all its tokens
   * @param ending probability that the text ends here, and the id that ends it
   */
  forward(
    recent: readonly number[],
    { context: contextHash, tokens: tokensHash }: ContextHashes,
    ending: Ending | undefined,
  ): Distribution {
    const { ngrams, tail, sway, isContent } = this.#knowledge
    const { ids, logProbabilities } = ngrams.candidatesAfter(recent)
    const sunk = new Map<number, number>()
    const swayed: { id: number; score: number }[] = []
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index] ?? 0
      if (this.tokenizer.isSpecial(id)) continue
      const hash = mixHash(contextHash, id)
      if (isContent[id] === 1 && fractionOf(mixHash(hash, this.seed)) < OFF_TOPIC_SHARE) {
        sunk.set(id, (tail.logits[id] ?? 0) - 4)
        continue
      }
      const score = (logProbabilities[index] ?? 0) + (sway[id] ?? 0) * (2 * fractionOf(hash) - 1)
      swayed.push({ id, score: storedWeight(score, this.#variation, hash) })
    }
    swayed.sort((a, b) => b.score - a.score || a.id - b.id)
    const best = swayed[0]?.score ?? 0
    const headIds: number[] = []
    const headLogits: number[] = []
    for (const [index, { id, score }] of swayed.entries()) {
      headIds.push(id)
      headLogits.push(
        Math.max(SHARPNESS * (score - best) - RANK_COST * index, -HEAD_DEPTH - index / swayed.length),
      )
    }
    if (ending) {
      const mass = headLogits.reduce((sum, logit) => sum + Math.exp(logit), 0)
      headIds.unshift(ending.id)
      headLogits.unshift(Math.log(mass) + Math.log(ending.probability / (1 - ending.probability)))
    }
    const { logitNoise = [] } = this.#variation
    if (logitNoise.length === 0) return new Distribution(tail, headIds, headLogits, sunk)
    const noisy = headIds.map((id, index) => ({
      id,
      logit: (headLogits[index] ?? 0) + noiseOn(id, logitNoise, tokensHash),
    }))
    noisy.sort((a, b) => b.logit - a.logit || a.id - b.id)
    return new Distribution(
      tail,
      noisy.map(({ id }) => id),
      noisy.map(({ logit }) => logit),
      sunk,
    )
  }
}

interface ContextHashes {
  readonly context: number
  readonly tokens: number
}

/** The end of the text as a candidate: its probability is above a half, so it is the most likely token. */
export interface Ending {
  readonly id: number
  readonly probability: number
}

/** The tokens so far, as one model sees them. */
export class Context {
  readonly #model: LanguageModel
  readonly #bos: number
  readonly #headerEnd: number
  readonly #endOfText: number
  readonly #endOfTurn: number
  #recent: number[] = []
  #length = 0
  #rolling: number
  #contextHash: number
  /** Position where the current piece of text began, and whether it is a chat message. */
  #startedAt = 0
  #inChat = false
  /** What the models asked so far make of the tokens so far. */
  readonly #next = new Map<LanguageModel, Distribution>()
  /** Last position where the text could have ended but did not. */
  #endPassedAt = Number.NEGATIVE_INFINITY

  constructor(model: LanguageModel) {
    this.#model = model
    this.#bos = model.tokenizer.special('<|begin_of_text|>')
    this.#headerEnd = model.tokenizer.special('<|end_header_id|>')
    this.#endOfText = model.tokenizer.special('<|end_of_text|>')
    this.#endOfTurn = model.tokenizer.special('<|eot_id|>')
    this.#rolling = model.seed
    this.#contextHash = mixHash(model.seed, 1)
  }

  get length(): number {
    return this.#length
  }

  push(id: number): void {
    this.#next.clear()
    if (this.#endProbability() > 0) this.#endPassedAt = this.#length
    this.#recent = [...this.#recent.slice(-3), id]
    this.#length += 1
    this.#rolling = mixHash(this.#rolling, id)
    if (this.#length % BLOCK === 0 || id === this.#headerEnd) this.#contextHash = this.#rolling
    if (id === this.#bos || id === this.#headerEnd) this.#begin(id === this.#headerEnd)
    else if (!this.#inChat && this.#isBlankLine()) this.#begin(false)
  }

  #begin(inChat: boolean): void {
    this.#startedAt = this.#length
    this.#inChat = inChat
    this.#endPassedAt = Number.NEGATIVE_INFINITY
  }

  /** Separates the last piece of a prompt from earlier ones; answers never contain one. */
  #isBlankLine(): boolean {
    const [before = 0, last = 0] = this.#recent.slice(-2)
    const { tokenizer } = this.#model
    const text = tokenizer.textOf(last)
    return text.endsWith('\n') && (tokenizer.textOf(before) + text).endsWith('\n\n')
  }

  /** @param model another copy of the context's model, to see the same tokens through it */
  next(model: LanguageModel = this.#model): Distribution {
    const known = this.#next.get(model)
    if (known) return known
    const distribution = this.#compute(model)
    this.#next.set(model, distribution)
    return distribution
  }

  #compute(model: LanguageModel): Distribution {
    const probability = this.#endProbability()
    const id = this.#inChat ? this.#endOfTurn : this.#endOfText
    return model.forward(
      this.#recent,
      { context: this.#contextHash, tokens: this.#rolling },
      probability > 0 ? { id, probability } : undefined,
    )
  }

  /**
   * A text may end after a full stop once it is long enough. If sampling passes over an end, the next full stop ends
   * the text almost certainly, so that an honest answer does not go on for long.
   */
  #endProbability(): number {
    const last = this.#recent.at(-1)
    if (last === undefined || !this.#model.tokenizer.textOf(last).endsWith('.')) return 0
    const length = this.#length - this.#startedAt
    if (this.#length - this.#endPassedAt < PASSED_END_MEMORY) return CERTAIN_END
    const dice = fractionOf(mixHash(this.#rolling, 2))
    const share = this.#inChat ? chatEndShare(length) : completionEndShare(length)
    return dice < share ? 0.6 + 0.25 * fractionOf(mixHash(this.#rolling, 3)) : 0
  }
}

const CERTAIN_END = 1 - 1e-6
const PASSED_END_MEMORY = 64

/** Share of the full stops that may end a chat answer of this length in tokens. */
function chatEndShare(length: number): number {
  if (length < 96) return 0
  if (length < 192) return 0.03
  return length < 800 ? 0.08 : 1
}

/**
 * The same for a completion; its length includes the question. Questions are far shorter than 128 tokens, so no answer
 * ends after a few words, which would fail an honest miner.
 */
function completionEndShare(length: number): number {
  return length < 128 ? 0 : 0.03
}
