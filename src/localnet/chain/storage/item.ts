import { blake2AsU8a } from '@polkadot/util-crypto/blake2'
import { xxhashAsU8a } from '@polkadot/util-crypto/xxhash'
import { type AnyType, concatBytes, encode, type ScaleType, toHex, utf8 } from '../scale/index.js'

export type Hasher = 'Identity' | 'Blake2_128Concat' | 'Twox64Concat'

const HASHERS: Readonly<Record<Hasher, (key: Uint8Array) => Uint8Array>> = {
  Identity: (key) => key,
  Blake2_128Concat: (key) => concatBytes(blake2AsU8a(key, 128), key),
  Twox64Concat: (key) => concatBytes(xxhashAsU8a(key, 64), key),
}

export function blake2b256(bytes: Uint8Array): Uint8Array {
  return blake2AsU8a(bytes, 256)
}

export interface KeyPart<K> {
  readonly hasher: Hasher
  readonly type: ScaleType<K>
}

type KeyParts<K extends readonly unknown[]> = { readonly [I in keyof K]: KeyPart<K[I]> }

/** A storage item of a pallet. `V` is the type a read returns; it includes undefined only for an optional item. */
export class StorageItem<K extends readonly unknown[], V> {
  readonly keys: readonly KeyPart<unknown>[]
  readonly value: AnyType
  /** What an absent value reads as; undefined for an optional item. */
  readonly fallback: V
  #location: { readonly name: string; readonly prefix: Uint8Array } | undefined

  constructor(keys: KeyParts<K>, value: ScaleType<Exclude<V, undefined>>, fallback: V) {
    this.keys = keys as readonly KeyPart<unknown>[]
    this.value = value
    this.fallback = fallback
  }

  get optional(): boolean {
    return this.fallback === undefined
  }

  get name(): string {
    return this.#attached.name
  }

  /** Sets the item's name and key prefix. Called once, by `palletItems`. */
  attach(pallet: string, name: string): void {
    const prefix = concatBytes(xxhashAsU8a(utf8(pallet), 128), xxhashAsU8a(utf8(name), 128))
    this.#location = { name, prefix }
  }

  /** The full storage key, or a key prefix when trailing keys are omitted. */
  keyOf(...keys: Partial<K>): string {
    const parts = keys.map((key, index) => {
      const part = this.keys[index]
      if (!part) throw new Error(`${this.name} takes ${this.keys.length} keys`)
      return HASHERS[part.hasher](encode(part.type, key))
    })
    return toHex(concatBytes(this.#attached.prefix, ...parts))
  }

  get #attached(): { readonly name: string; readonly prefix: Uint8Array } {
    if (!this.#location) throw new Error('storage item is not attached to a pallet')
    return this.#location
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

/** Declares the storage of a pallet: attaches each item under its property name. */
export function palletItems<
  S extends {
    readonly [name: string]: Pick<AnyItem, 'name'> & { attach(pallet: string, name: string): void }
  },
>(pallet: string, items: S): S {
  for (const [name, item] of Object.entries(items)) item.attach(pallet, name)
  return items
}
