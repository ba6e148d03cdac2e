import { type AnyType, concatBytes, encode, type ScaleType, toHex } from '../scale/index.js'
import { HASHERS, type Hasher, storagePrefix } from './hashing.js'

export interface KeyPart<K> {
  readonly hasher: Hasher
  readonly type: ScaleType<K>
}

type KeyParts<K extends readonly unknown[]> = { readonly [I in keyof K]: KeyPart<K[I]> }

/**
 * A storage item of a pallet: its key parts, its value and what an absent value reads as.
 * `V` is what reading gives: with `fallback` always a value, without it possibly undefined.
 */
export class StorageItem<K extends readonly unknown[], V> {
  readonly keys: readonly KeyPart<unknown>[]
  readonly value: AnyType
  /** Undefined makes the item optional. */
  readonly fallback: V
  #place: { readonly name: string; readonly prefix: Uint8Array } | undefined

  constructor(keys: KeyParts<K>, value: ScaleType<Exclude<V, undefined>>, fallback: V) {
    this.keys = keys as readonly KeyPart<unknown>[]
    this.value = value
    this.fallback = fallback
  }

  get optional(): boolean {
    return this.fallback === undefined
  }

  get name(): string {
    return this.#placed.name
  }

  /** Names the item; done once, by its pallet's definition. */
  place(pallet: string, name: string): void {
    this.#place = { name, prefix: storagePrefix(pallet, name) }
  }

  /** Full storage key, or the prefix of all keys that start with the given ones. */
  keyOf(...keys: Partial<K>): string {
    const parts = keys.map((key, index) => {
      const part = this.keys[index]
      if (!part) throw new Error(`${this.name} has ${this.keys.length} keys`)
      return HASHERS[part.hasher](encode(part.type, key))
    })
    return toHex(concatBytes(this.#placed.prefix, ...parts))
  }

  get #placed(): { readonly name: string; readonly prefix: Uint8Array } {
    if (!this.#place) throw new Error('a storage item has no pallet')
    return this.#place
  }
}

export type AnyItem = Pick<
  StorageItem<readonly never[], unknown>,
  'keys' | 'value' | 'fallback' | 'optional' | 'name'
>

export function identity<K>(type: ScaleType<K>): KeyPart<K> {
  return { hasher: 'Identity', type }
}

export function blake2Concat<K>(type: ScaleType<K>): KeyPart<K> {
  return { hasher: 'Blake2_128Concat', type }
}

export function twoxConcat<K>(type: ScaleType<K>): KeyPart<K> {
  return { hasher: 'Twox64Concat', type }
}

export function map<const K extends readonly unknown[], V>(
  keys: KeyParts<K>,
  value: ScaleType<V>,
  fallback: NoInfer<V>,
): StorageItem<K, V> {
  return new StorageItem<K, V>(keys, value as ScaleType<Exclude<V, undefined>>, fallback)
}

export function optionalMap<const K extends readonly unknown[], V>(
  keys: KeyParts<K>,
  value: ScaleType<V>,
): StorageItem<K, V | undefined> {
  return new StorageItem<K, V | undefined>(keys, value as ScaleType<Exclude<V, undefined>>, undefined)
}

export function plain<V>(value: ScaleType<V>, fallback: NoInfer<V>): StorageItem<[], V> {
  return new StorageItem<[], V>([], value as ScaleType<Exclude<V, undefined>>, fallback)
}

export function optionalPlain<V>(value: ScaleType<V>): StorageItem<[], V | undefined> {
  return new StorageItem<[], V | undefined>([], value as ScaleType<Exclude<V, undefined>>, undefined)
}

/** Gives every item of a pallet its name and prefix. */
export function placeItems<
  S extends { readonly [name: string]: Pick<AnyItem, 'name'> & { place(p: string, n: string): void } },
>(pallet: string, items: S): S {
  for (const [name, item] of Object.entries(items)) item.place(pallet, name)
  return items
}
