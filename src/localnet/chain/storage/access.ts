import { decode, encode, fromHex } from '../scale/index.js'
import type { StorageItem } from './item.js'

/** Encoded values by hex key, as of one block. */
export interface RawReader {
  raw(key: string): Uint8Array | undefined
  keys(prefix: string): readonly string[]
}

export interface RawWriter extends RawReader {
  put(key: string, value: Uint8Array | undefined): void
}

/** Reads decoded values. */
export class StorageReader {
  readonly #raw: RawReader

  constructor(raw: RawReader) {
    this.#raw = raw
  }

  get<K extends readonly unknown[], V>(item: StorageItem<K, V>, ...keys: K): V {
    const raw = this.#raw.raw(item.keyOf(...keys))
    return raw === undefined ? item.fallback : (decode(item.value, raw) as V)
  }

  has<K extends readonly unknown[], V>(item: StorageItem<K, V>, ...keys: K): boolean {
    return this.#raw.raw(item.keyOf(...keys)) !== undefined
  }

  /** The keys of a map with one key that is stored as it is (Identity). */
  identityKeys<K, V>(item: StorageItem<readonly [K], V>): readonly K[] {
    const prefix = item.keyOf()
    const [part] = item.keys
    if (part?.hasher !== 'Identity') throw new Error(`the keys of ${item.name} are hashed`)
    return this.#raw
      .keys(prefix)
      .map((key) => decode(part.type, fromHex(`0x${key.slice(prefix.length)}`)) as K)
  }
}

/** Reads decoded values and writes encoded ones. */
export class StorageWriter extends StorageReader {
  readonly #raw: RawWriter

  constructor(raw: RawWriter) {
    super(raw)
    this.#raw = raw
  }

  /** @param keys come after the value, because their number depends on the item. */
  set<K extends readonly unknown[], V>(
    item: StorageItem<K, V>,
    value: Exclude<V, undefined>,
    ...keys: K
  ): void {
    this.#raw.put(item.keyOf(...keys), encode(item.value, value))
  }

  delete<K extends readonly unknown[], V>(item: StorageItem<K, V>, ...keys: K): void {
    this.#raw.put(item.keyOf(...keys), undefined)
  }

  /** Replaces one element of a stored vector, or appends when `index` is its length. */
  setElement<K extends readonly unknown[], E>(
    item: StorageItem<K, readonly E[]>,
    index: number,
    element: E,
    ...keys: K
  ): void {
    const values = [...this.get(item, ...keys)]
    values[index] = element
    this.set(item, values, ...keys)
  }
}
