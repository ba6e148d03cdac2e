import { ApiPromise } from '@polkadot/api'
import type { ApiOptions } from '@polkadot/api/types'
import { z } from 'zod'
import { createDeferred, messageOf, TargonError, withDeadline } from '../kernel/index.js'
import type { LinkContext } from './context.js'
import { type RequestOptions, type Rpc, RpcError } from './rpc.js'
import { createDecoders, type Decode, decodeExactly, type Lookup } from './scale-decoder.js'

export interface ReadAt extends RequestOptions {
  readonly blockHash: string
  /** Pallet of the storage item, default SubtensorModule. */
  readonly pallet?: string
  /** Accepts a result with empty columns after those of the metadata, from a node that was upgraded a moment ago. */
  readonly mayGrow?: boolean
}

/** Hex as JSON-RPC carries it. */
export const hexSchema = z
  .string()
  .regex(/^0x([0-9a-f]{2})*$/i)
  .transform((text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')))

/** Subtensor's extensions that encode to nothing; listed so that the library does not warn about them. */
const EMPTY_EXTENSIONS = [
  'SubtensorSignedExtension',
  'CommitmentsSignedExtension',
  'SubtensorTransactionExtension',
  'DrandPriority',
  'SudoTransactionExtension',
  'CheckShieldedTxValidity',
]

/** @throws TargonError CHAIN_METADATA when the runtime is not understood; whatever the connection throws. */
export async function loadRuntime(rpc: Rpc, context: LinkContext): Promise<Runtime> {
  const { clock, rpcTimeoutMs, signal } = context
  const failed = createDeferred<never>()
  // The race below may be over before this rejects.
  failed.promise.catch(() => {})
  const api = new ApiPromise({
    provider: metadataProvider(rpc, failed.reject),
    noInitWarn: true,
    signedExtensions: Object.fromEntries(
      EMPTY_EXTENSIONS.map((name) => [name, { extrinsic: {}, payload: {} }]),
    ),
  })
  const ready = new Promise<void>((resolve) => api.on('ready', () => resolve()))
  api.on('error', (error: unknown) => failed.reject(metadataError(rpc.endpoint, error)))
  await withDeadline(clock, `Reading the runtime of ${rpc.endpoint}`, rpcTimeoutMs, signal, () =>
    Promise.race([ready, failed.promise]),
  )
  return new Runtime(rpc, api)
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
  readonly api: ApiPromise
  /** Field names, in order, of the struct (or optional struct) a runtime API returns; undefined without the API. */
  readonly outputFields: (trait: string, method: string) => readonly string[] | undefined
  readonly #rpc: Rpc
  readonly #decoder: (typeId: number) => Decode
  readonly #storageEntry: (pallet: string, item: string) => ReturnType<typeof findStorage>
  readonly #apiMethod: (trait: string, method: string) => ReturnType<typeof findApiMethod>

  constructor(rpc: Rpc, api: ApiPromise) {
    const { lookup } = api.runtimeMetadata.asLatest
    this.#rpc = rpc
    this.api = api
    this.genesisHash = api.genesisHash.toHex()
    this.specVersion = api.runtimeVersion.specVersion.toNumber()
    this.transactionVersion = api.runtimeVersion.transactionVersion.toNumber()
    // Timestamp.MinimumPeriod is half the block time; 12 s for a runtime without it.
    this.blockTimeMs = 2 * Number(api.consts.timestamp?.minimumPeriod?.toString() ?? 6000)
    this.#decoder = createDecoders(lookup)
    this.#storageEntry = memoize((pallet, item) => findStorage(api, this.#decoder, pallet, item))
    this.#apiMethod = memoize((trait, method) => findApiMethod(api, trait, method))
    this.outputFields = memoize((trait, method) => {
      const output = this.#apiMethod(trait, method)?.output
      return output === undefined ? undefined : structFields(lookup, output)
    })
  }

  hasStorage(item: string, pallet = 'SubtensorModule'): boolean {
    return this.#storageEntry(pallet, item) !== undefined
  }

  /** Value of a storage item at a block, its default when unset; undefined when the runtime has no such item. */
  async read(item: string, keys: readonly unknown[], at: ReadAt): Promise<unknown> {
    const found = this.#storageEntry(at.pallet ?? 'SubtensorModule', item)
    if (!found) return undefined
    const value = await this.#rpc.request('state_getStorage', [found.entry.key(...keys), at.blockHash], at)
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
      found.inputs.map((type, index) => this.api.registry.createTypeUnsafe(type, [args[index]]).toU8a()),
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

function findStorage(api: ApiPromise, decoder: (typeId: number) => Decode, pallet: string, item: string) {
  const entry = api.query[camelCase(pallet)]?.[camelCase(item)]
  if (!entry) return undefined
  const { type, modifier, fallback } = entry.creator.meta
  const valueId = type.isPlain ? type.asPlain.toNumber() : type.asMap.value.toNumber()
  return { entry, decode: decoder(valueId), isOptional: modifier.isOptional, fallback: fallback.toU8a(true) }
}

function findApiMethod(api: ApiPromise, trait: string, method: string) {
  const found = api.runtimeMetadata.asLatest.apis
    .find(({ name }) => name.toString() === trait)
    ?.methods.find(({ name }) => name.toString() === method)
  if (!found) return undefined
  const inputs = found.inputs.map(({ type }) => api.registry.createLookupType(type))
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

/**
 * Lets the library read metadata and build its registry; everything else uses the connection directly, with deadlines. A
 * failure goes to `fail` and leaves the library waiting, because it would print errors and retry on its own.
 */
function metadataProvider(rpc: Rpc, fail: (error: unknown) => void): NonNullable<ApiOptions['provider']> {
  const never = () => new Promise<never>(() => {})
  const provider: NonNullable<ApiOptions['provider']> = {
    hasSubscriptions: false,
    isClonable: false,
    isConnected: true,
    clone: () => provider,
    connect: async () => {},
    disconnect: async () => {},
    on: () => () => {},
    subscribe: never,
    unsubscribe: async () => true,
    async send<T>(method: string, params: unknown[]): Promise<T> {
      try {
        return (await rpc.request(method, params)) as T
      } catch (error) {
        // Old runtimes lack Metadata_metadata_versions; the library then falls back to state_getMetadata.
        if (error instanceof RpcError && method === 'state_call') throw error
        fail(error)
        return never()
      }
    },
  }
  return provider
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
