import type { RawReader, RawWriter } from './access.js'

type Changes = ReadonlyMap<string, Uint8Array | undefined>

/** Characters of a storage item's key prefix: `0x` and 32 bytes in hex. */
const PREFIX_LENGTH = 66

/**
 * The key-value state: the latest values, plus the values each block overwrote, from which the state after any kept
 * block is reconstructed. A storage transaction rolls back the writes of a failed extrinsic.
 */
export class State implements RawWriter {
  readonly #values = new Map<string, Uint8Array>()
  readonly #byPrefix = new Map<string, Set<string>>()
  readonly #overwritten = new Map<number, Changes>()
  readonly #keptBlocks: number
  #pending = new Map<string, Uint8Array | undefined>()
  #journal: [string, Uint8Array | undefined][] | undefined
  #sealedBlock = -1

  /** @param keptBlocks how many blocks before the latest stay readable */
  constructor(keptBlocks: number) {
    this.#keptBlocks = keptBlocks
  }

  raw(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  put(key: string, value: Uint8Array | undefined): void {
    const old = this.#values.get(key)
    this.#journal?.push([key, old])
    if (!this.#pending.has(key)) this.#pending.set(key, old)
    this.#write(key, value)
  }

  /** Runs `work` and rolls back its writes if it throws. */
  transact<T>(work: () => T): T {
    const journal: [string, Uint8Array | undefined][] = []
    this.#journal = journal
    try {
      return work()
    } catch (error) {
      for (const [key, old] of journal.reverse()) this.#write(key, old)
      throw error
    } finally {
      this.#journal = undefined
    }
  }

  /** Closes a block. @returns the keys it wrote, with their previous values */
  seal(block: number): Changes {
    const changes = this.#pending
    this.#overwritten.set(block, changes)
    this.#overwritten.delete(block - this.#keptBlocks)
    this.#sealedBlock = block
    this.#pending = new Map()
    return changes
  }

  /** Whether the state after this block can still be read. */
  isKept(block: number): boolean {
    return block <= this.#sealedBlock && block >= this.#sealedBlock - this.#keptBlocks
  }

  /** The state after `block`. */
  at(block: number): RawReader {
    if (block >= this.#sealedBlock && this.#pending.size === 0) return this
    return {
      raw: (key) => this.#rawAt(key, block),
      keys: (prefix) => this.#keysAt(prefix, block),
    }
  }

  keys(prefix: string): string[] {
    return this.#keysAt(prefix, Number.POSITIVE_INFINITY)
  }

  #rawAt(key: string, block: number): Uint8Array | undefined {
    for (const changes of this.#changesAfter(block)) {
      if (changes.has(key)) return changes.get(key)
    }
    return this.#values.get(key)
  }

  #keysAt(prefix: string, block: number): string[] {
    const item = prefix.slice(0, PREFIX_LENGTH)
    const found = new Set<string>()
    for (const [known, keys] of this.#byPrefix) {
      if (known.startsWith(item)) for (const key of keys) found.add(key)
    }
    for (const changes of this.#changesAfter(block)) {
      for (const key of changes.keys()) if (key.startsWith(item)) found.add(key)
    }
    return [...found].filter((key) => key.startsWith(prefix) && this.#rawAt(key, block) !== undefined).sort()
  }

  /** What each block after `block` overwrote, oldest first and including the block being built. */
  *#changesAfter(block: number): Iterable<Changes> {
    for (let number = block + 1; number <= this.#sealedBlock; number++) {
      const changes = this.#overwritten.get(number)
      if (changes) yield changes
    }
    if (block <= this.#sealedBlock) yield this.#pending
  }

  #write(key: string, value: Uint8Array | undefined): void {
    const prefix = key.slice(0, PREFIX_LENGTH)
    if (value === undefined) {
      this.#values.delete(key)
      this.#byPrefix.get(prefix)?.delete(key)
      return
    }
    this.#values.set(key, value)
    const keys = this.#byPrefix.get(prefix) ?? new Set()
    this.#byPrefix.set(prefix, keys.add(key))
  }
}
