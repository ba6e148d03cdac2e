import { learnMerges, type Merge, mergePair, pairKey, splitPretokens } from './byte-pairs.js'

/** Control tokens, spelled as in Llama 3. Their ids follow the learned ones. */
export const SPECIAL_TOKENS = [
  '<|begin_of_text|>',
  '<|end_of_text|>',
  '<|start_header_id|>',
  '<|end_header_id|>',
  '<|eot_id|>',
  '<|finetune_right_pad_id|>',
] as const

export type SpecialToken = (typeof SPECIAL_TOKENS)[number]

const SPECIAL_PATTERN = new RegExp(
  `(${SPECIAL_TOKENS.map((token) => token.replaceAll('|', '\\|')).join('|')})`,
)

const WORD_CACHE_LIMIT = 20_000

/** Byte-level BPE: encodes any text, splitting characters outside the vocabulary into their UTF-8 bytes. */
export class Tokenizer {
  readonly #merges: readonly Merge[]
  readonly #rankOfPair = new Map<number, number>()
  readonly #pieces: Buffer[] = []
  readonly #texts: string[]
  readonly #specialIds = new Map<string, number>()
  readonly #words = new Map<string, readonly number[]>()
  /** Number of ids: 0 to size − 1. */
  readonly size: number

  constructor(merges: readonly Merge[]) {
    this.#merges = merges
    for (let byte = 0; byte < 256; byte++) this.#pieces.push(Buffer.from([byte]))
    for (const [rank, { left, right }] of merges.entries()) {
      this.#rankOfPair.set(pairKey(left, right), rank)
      this.#pieces.push(Buffer.concat([this.pieceOf(left), this.pieceOf(right)]))
    }
    for (const token of SPECIAL_TOKENS) {
      this.#specialIds.set(token, this.#pieces.length)
      this.#pieces.push(Buffer.from(token))
    }
    this.size = this.#pieces.length
    this.#texts = this.#pieces.map(decodeUtf8)
  }

  static learn(text: string, mergeCount: number): Tokenizer {
    return new Tokenizer(learnMerges(text, mergeCount))
  }

  get merges(): readonly Merge[] {
    return this.#merges
  }

  special(token: SpecialToken): number {
    return this.#specialIds.get(token) ?? -1
  }

  isSpecial(id: number): boolean {
    return id >= this.size - SPECIAL_TOKENS.length && id < this.size
  }

  /** The bytes of one token (of a control token, its spelling); empty for an id outside the vocabulary. */
  pieceOf(id: number): Buffer {
    return this.#pieces[id] ?? Buffer.alloc(0)
  }

  /** One token as text; bytes that are not valid UTF-8 by themselves become U+FFFD. */
  textOf(id: number): string {
    return this.#texts[id] ?? ''
  }

  /** Control tokens spelled out in the text become their id, as in Hugging Face tokenizers. */
  encode(text: string, options: { bos?: boolean } = {}): number[] {
    const ids = options.bos ? [this.special('<|begin_of_text|>')] : []
    for (const part of text.split(SPECIAL_PATTERN)) {
      const special = this.#specialIds.get(part)
      if (special !== undefined) ids.push(special)
      else for (const word of splitPretokens(part)) for (const id of this.#encodeWord(word)) ids.push(id)
    }
    return ids
  }

  decode(ids: readonly number[], options: { skipSpecial?: boolean } = {}): string {
    const kept = options.skipSpecial ? ids.filter((id) => !this.isSpecial(id)) : ids
    return decodeUtf8(Buffer.concat(kept.map((id) => this.pieceOf(id))))
  }

  #encodeWord(word: string): readonly number[] {
    const known = this.#words.get(word)
    if (known) return known
    let symbols: number[] = [...Buffer.from(word)]
    for (;;) {
      let best = Number.POSITIVE_INFINITY
      for (let at = 0; at + 1 < symbols.length; at++) {
        const rank = this.#rankOfPair.get(pairKey(symbols[at] ?? 0, symbols[at + 1] ?? 0))
        if (rank !== undefined && rank < best) best = rank
      }
      const merge = this.#merges[best]
      if (!merge) break
      symbols = mergePair(symbols, merge.left, merge.right, 256 + best)
    }
    if (this.#words.size >= WORD_CACHE_LIMIT) this.#words.clear()
    if (word.length <= 64) this.#words.set(word, symbols)
    return symbols
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}

/** Turns tokens into text one by one; withholds the first bytes of a character until the rest arrives. */
export class TokenTextStream {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  readonly #tokenizer: Tokenizer
  readonly #skipSpecial: boolean

  constructor(tokenizer: Tokenizer, skipSpecial: boolean) {
    this.#tokenizer = tokenizer
    this.#skipSpecial = skipSpecial
  }

  /** The text this token completes; '' for a skipped control token or part of a character. */
  push(id: number): string {
    if (this.#skipSpecial && this.#tokenizer.isSpecial(id)) return ''
    return this.#decoder.decode(this.#tokenizer.pieceOf(id), { stream: true })
  }
}
