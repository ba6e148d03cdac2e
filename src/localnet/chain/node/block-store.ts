import { toHex } from '../scale/index.js'
import type { Block } from './block.js'

/** The blocks of the best chain, by number and by hash. Blocks older than `keptBlocks` are pruned, except genesis. */
export class BlockStore {
  readonly #byNumber = new Map<number, Block>()
  readonly #byHash = new Map<string, Block>()
  readonly #keptBlocks: number
  #head: Block
  #finalized: Block

  constructor(genesis: Block, keptBlocks: number) {
    this.#keptBlocks = keptBlocks
    this.#head = genesis
    this.#finalized = genesis
    this.#index(genesis)
  }

  get head(): Block {
    return this.#head
  }

  get finalized(): Block {
    return this.#finalized
  }

  append(block: Block): void {
    this.#head = block
    this.#index(block)
    const pruned = this.#byNumber.get(block.number - this.#keptBlocks - 1)
    if (!pruned || pruned.number === 0) return
    this.#byNumber.delete(pruned.number)
    this.#byHash.delete(toHex(pruned.hash))
  }

  /** Finalizes blocks up to a number. @returns the newly finalized blocks, oldest first */
  finalize(number: number): Block[] {
    const finalized: Block[] = []
    while (this.#finalized.number < Math.min(number, this.#head.number)) {
      const next = this.#byNumber.get(this.#finalized.number + 1)
      if (!next) break
      this.#finalized = next
      finalized.push(next)
    }
    return finalized
  }

  byNumber(number: number): Block | undefined {
    return this.#byNumber.get(number)
  }

  byHash(hash: string): Block | undefined {
    return this.#byHash.get(hash.toLowerCase())
  }

  #index(block: Block): void {
    this.#byNumber.set(block.number, block)
    this.#byHash.set(toHex(block.hash), block)
  }
}
