import { compactStripLength, u8aToHex } from '@polkadot/util'
import { waitReady } from '@polkadot/wasm-crypto'
import { z } from 'zod'
import { messageOf, TargonError, withDeadline } from '../kernel/index.js'
import type { LinkContext } from './context.js'
import { decodeMetadata, hexSchema, type RuntimeTypes, readMetadata } from './metadata.js'
import type { RequestOptions, Rpc } from './rpc.js'
import { createDecoders, type Decode, decodeExactly, type Lookup } from './scale-decoder.js'
import { ScaleError } from './scale-reader.js'

export interface ReadAt extends RequestOptions {
  readonly blockHash: string
  /** Pallet of the storage item, default SubtensorModule. */
  readonly pallet?: string
  /** Accepts a result with empty columns after those of the metadata, from a node that was upgraded a moment ago. */
  readonly mayGrow?: boolean
}

const versionSchema = z.object({ specVersion: z.number(), transactionVersion: z.number() })

/** @throws TargonError CHAIN_METADATA when the runtime is not understood; whatever the connection throws. */
export async function loadRuntime(rpc: Rpc, context: LinkContext): Promise<Runtime> {
  const { clock, rpcTimeoutMs, signal: outer } = context
  const what = `Reading the runtime of ${rpc.endpoint}`
  const [version, genesis, metadata] = await withDeadline(clock, what, rpcTimeoutMs, outer, (signal) =>
    Promise.all([
      rpc.request('state_getRuntimeVersion', [], { signal }),
      rpc.request('chain_getBlockHash', [0], { signal }),
      readMetadata(rpc, { signal }),
    ]),
  ).catch((error: unknown) => {
    throw error instanceof z.ZodError || error instanceof ScaleError
      ? metadataError(rpc.endpoint, error)
      : error
  })
  try {
    await waitReady()
    const facts = { ...versionSchema.parse(version), genesisHash: genesisSchema.parse(genesis) }
    return new Runtime(rpc, decodeMetadata(metadata), facts)
  } catch (error) {
    throw metadataError(rpc.endpoint, error)
  }
}

const genesisSchema = z.string().regex(/^0x[0-9a-f]{64}$/)

interface RuntimeFacts extends z.infer<typeof versionSchema> {
  readonly genesisHash: string
}

/**
 * What a Subtensor runtime offers, by name. A runtime belongs to one connection and one metadata; after an upgrade the
 * connection is reopened.
 */
export class Runtime {
  readonly genesisHash: string
  readonly specVersion: number
  readonly transactionVersion: number
  /** Time between two blocks as the runtime expects it. */
  readonly blockTimeMs: number
  readonly types: RuntimeTypes
  /** Field names, in order, of the struct (or optional struct) a runtime API returns; undefined without the API. */
  readonly outputFields: (trait: string, method: string) => readonly string[] | undefined
  readonly #rpc: Rpc
  readonly #decoder: (typeId: number) => Decode
  readonly #storageEntry: (pallet: string, item: string) => ReturnType<typeof findStorage>
  readonly #apiMethod: (trait: string, method: string) => ReturnType<typeof findApiMethod>

  constructor(rpc: Rpc, types: RuntimeTypes, facts: RuntimeFacts) {
    const { lookup } = types.latest
    this.#rpc = rpc
    this.types = types
    this.genesisHash = facts.genesisHash
    this.specVersion = facts.specVersion
    this.transactionVersion = facts.transactionVersion
    // Timestamp.MinimumPeriod is half the block time; 12 s for a runtime without it.
    this.blockTimeMs = 2 * Number(types.consts.timestamp?.minimumPeriod?.toString() ?? 6000)
    this.#decoder = createDecoders(lookup)
    this.#storageEntry = memoize((pallet, item) => findStorage(types, this.#decoder, pallet, item))
    this.#apiMethod = memoize((trait, method) => findApiMethod(types, trait, method))
    this.outputFields = memoize((trait, method) => {
      const output = this.#apiMethod(trait, method)?.output
      return output === undefined ? undefined : structFields(lookup, output)
    })
  }

  hasStorage(item: string, pallet = 'SubtensorModule'): boolean {
    return this.#storageEntry(pallet, item) !== undefined
  }

  /** Key under which a storage item is stored; undefined when the runtime has no such item. */
  storageKey(item: string, keys: readonly unknown[], pallet = 'SubtensorModule'): string | undefined {
    return this.#storageEntry(pallet, item)?.key(keys)
  }

  /** Value of a storage item at a block, its default when unset; undefined when the runtime has no such item. */
  async read(item: string, keys: readonly unknown[], at: ReadAt): Promise<unknown> {
    const found = this.#storageEntry(at.pallet ?? 'SubtensorModule', item)
    if (!found) return undefined
    const value = await this.#rpc.request('state_getStorage', [found.key(keys), at.blockHash], at)
    if (value !== null) return decode(item, found.decode, hexSchema.parse(value))
    return found.isOptional ? undefined : decode(item, found.decode, found.fallback)
  }

  hasRuntimeApi(trait: string, method: string): boolean {
    return this.#apiMethod(trait, method) !== undefined
  }

  /** Result of a runtime API at a block; undefined when the runtime has no such API. */
  async callApi(trait: string, method: string, args: readonly unknown[], at: ReadAt): Promise<unknown> {
    const found = this.#apiMethod(trait, method)
    if (!found) return undefined
    const input = Buffer.concat(
      found.inputs.map((type, index) => this.types.registry.createTypeUnsafe(type, [args[index]]).toU8a()),
    )
    const name = `${trait}_${method}`
    const params = [name, `0x${input.toString('hex')}`, at.blockHash]
    const result = await this.#rpc.request('state_call', params, at)
    return decode(name, this.#decoder(found.output), hexSchema.parse(result), at.mayGrow)
  }
}

/** Metadata never changes within a runtime, so each lookup is made once. */
function memoize<T>(find: (group: string, name: string) => T): (group: string, name: string) => T {
  const found = new Map<string, T>()
  return (group, name) => {
    const key = `${group}.${name}`
    const known = found.get(key) ?? find(group, name)
    found.set(key, known)
    return known
  }
}

function findStorage(types: RuntimeTypes, decoder: (typeId: number) => Decode, pallet: string, item: string) {
  const entry = types.query[camelCase(pallet)]?.[camelCase(item)]
  if (!entry) return undefined
  const { type, modifier, fallback } = entry.meta
  const valueId = type.isPlain ? type.asPlain.toNumber() : type.asMap.value.toNumber()
  // the library puts the length in front of the key
  const key = (keys: readonly unknown[]) => u8aToHex(compactStripLength(entry(...keys))[1])
  return { key, decode: decoder(valueId), isOptional: modifier.isOptional, fallback: fallback.toU8a(true) }
}

function findApiMethod({ latest, registry }: RuntimeTypes, trait: string, method: string) {
  const found = latest.apis
    .find(({ name }) => name.toString() === trait)
    ?.methods.find(({ name }) => name.toString() === method)
  if (!found) return undefined
  const inputs = found.inputs.map(({ type }) => registry.createLookupType(type))
  return { inputs, output: found.output.toNumber() }
}

function structFields(lookup: Lookup, typeId: number): readonly string[] {
  const { def, params } = lookup.getSiType(typeId)
  if (def.isComposite) return def.asComposite.fields.map(({ name }) => name.unwrapOr('').toString())
  const inner = params[0]?.type.unwrapOr(undefined)
  return inner ? structFields(lookup, inner.toNumber()) : []
}

function decode(what: string, decoder: Decode, bytes: Uint8Array, mayGrow = false): unknown {
  try {
    return decodeExactly(decoder, bytes, mayGrow)
  } catch (error) {
    throw new TargonError(
      `The chain returned a value for ${what} that does not match its own metadata: ${messageOf(error)}.`,
      { code: 'CHAIN_DATA', fault: 'chain', next: 'Use another endpoint.', facts: { what } },
      { cause: error },
    )
  }
}

/** `get_neurons_lite` and `SubtensorModule` as the library spells them. */
export function camelCase(name: string): string {
  const joined = name.replace(/_+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase())
  return joined.charAt(0).toLowerCase() + joined.slice(1)
}

function metadataError(endpoint: string, error: unknown): TargonError {
  return new TargonError(
    `The runtime of ${endpoint} is not understood: ${messageOf(error)}.`,
    {
      code: 'CHAIN_METADATA',
      fault: 'chain',
      next: 'Update this software: targon update --check.',
      facts: { endpoint },
    },
    { cause: error },
  )
}
