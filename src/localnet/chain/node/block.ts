import { header, type Runtime } from '../runtime/index.js'
import { concatBytes, encode, fromHex, type Infer, utf8 } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'

export type Header = Infer<typeof header>
export type Changes = ReadonlyMap<string, Uint8Array | undefined>

export interface Block {
  readonly number: number
  readonly hash: Uint8Array
  readonly header: Header
  readonly extrinsics: readonly Uint8Array[]
  /** The keys that the block wrote, with their previous values. */
  readonly changes: Changes
  /** The runtime in force after the block. */
  readonly runtime: Runtime
}

interface BlockParts {
  readonly parent: Block | undefined
  readonly number: number
  readonly extrinsics: readonly Uint8Array[]
  readonly changes: Changes
  readonly runtime: Runtime
  /** Reads the value of a key after the block. */
  readonly readValue: (key: string) => Uint8Array | undefined
}

/**
 * Seals a block. Its hash is the hash of its header, as clients compute it. The state root is a hash over the parent's
 * root and the changes, not the root of a trie, so the chain cannot serve storage proofs.
 */
export function sealBlock({ parent, number, extrinsics, changes, runtime, readValue }: BlockParts): Block {
  const changed = [...changes.keys()]
    .sort()
    .flatMap((key) => [fromHex(key), readValue(key) ?? new Uint8Array()])
  const parentRoot = parent?.header.state_root ?? new Uint8Array()
  const sealed: Header = {
    parent_hash: parent?.hash ?? new Uint8Array(32),
    number,
    state_root: blake2b256(concatBytes(parentRoot, ...changed)),
    extrinsics_root: blake2b256(concatBytes(...extrinsics)),
    digest: digestOf(number),
  }
  return { number, hash: blake2b256(encode(header, sealed)), header: sealed, extrinsics, changes, runtime }
}

/** The digest of a block, in its header and in System.Digest. The genesis block has none. */
export function digestOf(number: number): Header['digest'] {
  return { logs: number > 0 ? [{ type: 'PreRuntime', value: [utf8('aura'), slotBytes(number)] }] : [] }
}

function slotBytes(slot: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(slot))
  return new Uint8Array(bytes)
}
