import { toHex } from '../scale/index.js'
import type { Block } from './block.js'

/** The best chain: blocks by number and hash; bodies of blocks beyond the kept ones are dropped. */
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

  /** Moves finality up to a block. @returns the blocks that became final, oldest first. */
  finalize(number: number): Block[] {
    const final: Block[] = []
    while (this.#finalized.number < Math.min(number, this.#head.number)) {
      const next = this.#byNumber.get(this.#finalized.number + 1)
      if (!next) break
      this.#finalized = next
      final.push(next)
    }
    return final
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
