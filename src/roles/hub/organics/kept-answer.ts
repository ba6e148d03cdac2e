import { copyChunkJson, type Endpoint } from '../../../inference/index.js'
import { parseJson } from '../../../kernel/index.js'
import { countValues } from './count-values.js'
import { legibleChunk } from './legible-chunk.js'

/** Bounds on one answer. Validators read up to 100,000 chunks of it, and buckets of up to 64 MiB and 2,000,000 values. */
const MOST = { bytes: 8 << 20, values: 400_000, chunks: 100_000 }

/**
 * A letter that is written as an escape, perhaps in a name. Users read such a name, so it must not hide from validators what it
 * has to say.
 */
const ESCAPED_NAME = /\\u00[2-7]/

/** Text is encoded when this much of it has come together. */
const PORTION = 32 << 10

/**
 * An answer in the form in which validators get it, made while it passes: the work for each chunk depends on that chunk alone, so
 * the end of a long answer does not keep other users waiting. Only the members that validators read are kept, as the miner wrote
 * them, so that a miner cannot fill a bucket with members of its own.
 */
export class KeptAnswer {
  #portions: Buffer[] = []
  #text = ''
  #chunks = 0
  #isTooLarge = false
  #bytes = 0
  #values = 0

  constructor(private readonly endpoint: Endpoint) {}

  /** Of its JSON text in UTF-8, as far as it has been encoded; `portions` encodes all of it. */
  get bytes(): number {
    return this.#bytes
  }

  /** JSON values, at least as many as a reader counts. */
  get values(): number {
    return this.#values
  }

  /** @param data the JSON text of a chunk, valid and of bounded depth */
  add(data: string): void {
    if (this.#isTooLarge) return
    const copy = copyChunkJson(ESCAPED_NAME.test(data) ? JSON.stringify(parseJson(data)) : data)
    const chunk = legibleChunk(copy, this.endpoint)
    if (chunk === undefined) return
    this.#text += this.#chunks === 0 ? chunk : `,${chunk}`
    this.#chunks++
    if (this.#chunks > MOST.chunks) this.#drop()
    else if (this.#text.length >= PORTION) this.#encode()
  }

  /** The elements of the list of chunks, without its brackets; undefined when they are beyond the bounds. */
  portions(): readonly Buffer[] | undefined {
    if (this.#text !== '') this.#encode()
    return this.#isTooLarge ? undefined : this.#portions
  }

  #encode(): void {
    const portion = Buffer.from(this.#text)
    this.#text = ''
    this.#portions.push(portion)
    this.#bytes += portion.length
    this.#values += countValues(portion)
    if (this.#bytes > MOST.bytes || this.#values > MOST.values) this.#drop()
  }

  #drop(): void {
    this.#isTooLarge = true
    this.#portions = []
    this.#text = ''
  }
}
