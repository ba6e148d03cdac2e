import { ApiPromise } from '@polkadot/api'
import type { ApiOptions } from '@polkadot/api/types'
import { z } from 'zod'
import { type Clock, messageOf, TargonError, withDeadline } from '../kernel/index.js'
import { type RequestOptions, type Rpc, RpcError } from './rpc.js'
import { createDecoders, type Decode, decodeExactly, type Lookup } from './scale-decoder.js'

/**
 * What a Subtensor runtime offers, by name. One runtime belongs to one connection and one metadata: after an upgrade
 * the connection is opened anew.
 */
export interface Runtime {
  readonly genesisHash: string
  readonly specVersion: number
  readonly transactionVersion: number
  /** Time between two blocks as the runtime expects it. */
  readonly blockTimeMs: number
  readonly api: ApiPromise
  hasStorage(item: string, pallet?: string): boolean
  /** Value of a storage item at a block, its default when unset; undefined when the runtime has no such item. */
  read(item: string, keys: readonly unknown[], at: ReadAt): Promise<unknown>
  hasRuntimeApi(trait: string, method: string): boolean
  /** Field names, in order, of the struct (or optional struct) a runtime API returns; undefined without the API. */
  outputFields(trait: string, method: string): readonly string[] | undefined
  /** Answer of a runtime API at a block; undefined when the runtime has no such API. */
  callApi(trait: string, method: string, args: readonly unknown[], at: ReadAt): Promise<unknown>
}

export interface ReadAt extends RequestOptions {
  readonly blockHash: string
  /** Pallet of the storage item, default SubtensorModule. */
  readonly pallet?: string
}

/** Hex as it travels in JSON-RPC. */
export const hexSchema = z
  .string()
  .regex(/^0x([0-9a-f]{2})*$/i)
  .transform((text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')))

/** Extensions of Subtensor that encode to nothing; named so that the library does not warn about them. */
const EMPTY_EXTENSIONS = [
  'SubtensorSignedExtension',
  'CommitmentsSignedExtension',
  'SubtensorTransactionExtension',
  'DrandPriority',
  'SudoTransactionExtension',
  'CheckShieldedTxValidity',
]

/** @throws TargonError CHAIN_METADATA when the runtime cannot be understood; whatever the connection throws. */
export async function loadRuntime(
  rpc: Rpc,
  clock: Clock,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Runtime> {
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // The race below may be over before it rejects.
  failed.catch(() => {})
  const api = new ApiPromise({
    provider: bootProvider(rpc, fail),
    noInitWarn: true,
    signedExtensions: Object.fromEntries(
      EMPTY_EXTENSIONS.map((name) => [name, { extrinsic: {}, payload: {} }]),
    ),
  })
  const ready = new Promise<void>((resolve) => api.on('ready', () => resolve()))
  api.on('error', (error: unknown) => fail(metadataError(rpc.endpoint, error)))
  await withDeadline(clock, `Reading the runtime of ${rpc.endpoint}`, timeoutMs, signal, () =>
    Promise.race([ready, failed]),
  )
  return describe(rpc, api)
}

function describe(rpc: Rpc, api: ApiPromise): Runtime {
  const latest = api.runtimeMetadata.asLatest
  const decoders = createDecoders(latest.lookup)
  const { registry } = api

  /** What is looked up in the metadata stays what it is for as long as this runtime does. */
  function remember<T>(find: (group: string, name: string) => T): (group: string, name: string) => T {
    const found = new Map<string, T>()
    return (group, name) => {
      const key = `${group}.${name}`
      const known = found.get(key) ?? find(group, name)
      found.set(key, known)
      return known
    }
  }

  const storageEntry = remember((pallet, item) => {
    const entry = api.query[camelCase(pallet)]?.[camelCase(item)]
    if (!entry) return undefined
    const { type, modifier, fallback } = entry.creator.meta
    const valueId = type.isPlain ? type.asPlain.toNumber() : type.asMap.value.toNumber()
    return { entry, decode: decoders(valueId), optional: modifier.isOptional, fallback: fallback.toU8a(true) }
  })

  const apiMethod = remember((trait, method) => {
    const found = latest.apis
      .find(({ name }) => name.toString() === trait)
      ?.methods.find(({ name }) => name.toString() === method)
    if (!found) return undefined
    return {
      inputs: found.inputs.map(({ type }) => registry.createLookupType(type)),
      output: found.output.toNumber(),
    }
  })

  const fieldsOf = remember((trait, method) => {
    const output = apiMethod(trait, method)?.output
    return output === undefined ? undefined : structFields(latest.lookup, output)
  })

  return {
    genesisHash: api.genesisHash.toHex(),
    specVersion: api.runtimeVersion.specVersion.toNumber(),
    transactionVersion: api.runtimeVersion.transactionVersion.toNumber(),
    // Timestamp.MinimumPeriod is half a block; 12 s where a runtime does not say.
    blockTimeMs: 2 * Number(api.consts.timestamp?.minimumPeriod?.toString() ?? 6000),
    api,
    hasStorage: (item, pallet = 'SubtensorModule') => storageEntry(pallet, item) !== undefined,
    async read(item, keys, at) {
      const found = storageEntry(at.pallet ?? 'SubtensorModule', item)
      if (!found) return undefined
      const value = await rpc.request('state_getStorage', [found.entry.key(...keys), at.blockHash], at)
      if (value === null) {
        return found.optional ? undefined : decode(item, found.decode, found.fallback)
      }
      return decode(item, found.decode, hexSchema.parse(value))
    },
    hasRuntimeApi: (trait, method) => apiMethod(trait, method) !== undefined,
    outputFields: fieldsOf,
    async callApi(trait, method, args, at) {
      const found = apiMethod(trait, method)
      if (!found) return undefined
      const input = Buffer.concat(
        found.inputs.map((type, index) => registry.createTypeUnsafe(type, [args[index]]).toU8a()),
      )
      const name = `${trait}_${method}`
      const answer = await rpc.request('state_call', [name, `0x${input.toString('hex')}`, at.blockHash], at)
      return decode(name, decoders(found.output), hexSchema.parse(answer))
    },
  }
}

function structFields(lookup: Lookup, typeId: number): readonly string[] {
  const { def, params } = lookup.getSiType(typeId)
  if (def.isComposite) return def.asComposite.fields.map(({ name }) => name.unwrapOr('').toString())
  const inner = params[0]?.type.unwrapOr(undefined)
  return inner ? structFields(lookup, inner.toNumber()) : []
}

function decode(what: string, decoder: Decode, bytes: Uint8Array): unknown {
  try {
    return decodeExactly(decoder, bytes)
  } catch (error) {
    throw new TargonError(
      `The chain's answer for ${what} does not match its own metadata: ${messageOf(error)}.`,
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
 * The library reads metadata and builds its registry through this; everything afterwards goes over the connection
 * directly, with deadlines. A failure is handed to `fail` and leaves the library waiting: it would otherwise print
 * errors on the console and retry on its own.
 */
function bootProvider(rpc: Rpc, fail: (error: unknown) => void): NonNullable<ApiOptions['provider']> {
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
    `The runtime of ${endpoint} cannot be understood: ${messageOf(error)}.`,
    {
      code: 'CHAIN_METADATA',
      fault: 'chain',
      next: 'Update this software: targon update --check.',
      facts: { endpoint },
    },
    { cause: error },
  )
}
