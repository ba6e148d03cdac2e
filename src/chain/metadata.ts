import { createHash } from 'node:crypto'
import { expandMetadata, Metadata, TypeRegistry } from '@polkadot/types'
import { z } from 'zod'
import { putNewest } from '../kernel/index.js'
import { type RequestOptions, type Rpc, RpcError } from './rpc.js'
import { ScaleReader } from './scale-reader.js'

/** Hex as JSON-RPC carries it. */
export const hexSchema = z
  .string()
  .regex(/^0x([0-9a-f]{2})*$/i)
  .transform((text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')))

/** Decoded metadata: the types of a runtime, and its storage, calls, constants and runtime APIs by name. */
export interface RuntimeTypes {
  readonly registry: TypeRegistry
  readonly latest: Metadata['asLatest']
  readonly query: Decorated['query']
  readonly tx: Decorated['tx']
  readonly consts: Decorated['consts']
}

type Decorated = ReturnType<typeof expandMetadata>

/** Versions that the library decodes, the newest first; runtime APIs are described from 15 on. */
const VERSIONS = [16, 15, 14]

/** Reads the metadata of the node's current runtime. @throws what the connection throws, ScaleError, ZodError */
export async function readMetadata(rpc: Rpc, options?: RequestOptions): Promise<Uint8Array> {
  const described = await readByVersion(rpc, options).catch((error: unknown) => {
    // Old runtimes lack these runtime APIs.
    if (error instanceof RpcError) return undefined
    throw error
  })
  return described ?? hexSchema.parse(await rpc.request('state_getMetadata', [], options))
}

async function readByVersion(rpc: Rpc, options?: RequestOptions): Promise<Uint8Array | undefined> {
  const call = async (method: string, input: string) =>
    new ScaleReader(hexSchema.parse(await rpc.request('state_call', [`Metadata_${method}`, input], options)))
  const offered = await call('metadata_versions', '0x')
  const versions = Array.from({ length: offered.length() }, () => offered.u32())
  const version = VERSIONS.find((known) => versions.includes(known))
  if (version === undefined) return undefined
  // an optional byte list
  const answer = await call('metadata_at_version', `0x${version.toString(16).padStart(2, '0')}000000`)
  return answer.u8() === 0 ? undefined : answer.take(answer.length())
}

/** A runtime upgrade, or endpoints that differ, need two at a time. */
const MAX_KEPT = 2
const kept = new Map<string, RuntimeTypes>()

/**
 * Decodes metadata. It takes most of a second and 25 MB, so that the connections of a process share the result, as long as
 * their nodes sent the same bytes: no node decides how the values of another are read.
 *
 * @throws the library's error for metadata it does not understand
 */
export function decodeMetadata(bytes: Uint8Array): RuntimeTypes {
  const key = createHash('sha256').update(bytes).digest('hex')
  const types = kept.get(key) ?? decode(bytes)
  putNewest(kept, key, types, MAX_KEPT)
  return types
}

/** Subtensor's extensions that encode to nothing. */
const EMPTY_EXTENSIONS = [
  'SubtensorSignedExtension',
  'CommitmentsSignedExtension',
  'SubtensorTransactionExtension',
  'DrandPriority',
  'SudoTransactionExtension',
  'CheckShieldedTxValidity',
]

function decode(bytes: Uint8Array): RuntimeTypes {
  const registry = new TypeRegistry()
  const metadata = new Metadata(registry, bytes)
  const extensions = Object.fromEntries(
    EMPTY_EXTENSIONS.map((name) => [name, { extrinsic: {}, payload: {} }]),
  )
  // without the warning about extensions unknown to the library, which are taken as empty
  registry.setMetadata(metadata, undefined, extensions, true)
  const { query, tx, consts } = expandMetadata(registry, metadata)
  return { registry, latest: metadata.asLatest, query, tx, consts }
}
