import { blake2AsU8a } from '@polkadot/util-crypto/blake2'
import { buildMetadata, type RuntimeApi, type RuntimeDefinition } from '../metadata/index.js'
import { type AnyType, bytes, type Infer, newtype, type ScaleType, tuple, utf8 } from '../scale/index.js'
import { runtimeApis } from './apis.js'
import type { Dialect } from './dialects.js'
import { extensionsWithout } from './extensions.js'
import { palletsOf, palletTypesOf, type RuntimeParameters } from './pallets.js'
import { multiAddress, multiSignature, runtimeMarker, type runtimeVersion } from './types.js'

export type Runtime = ReturnType<typeof createRuntime>
export type RuntimeCall = Infer<Runtime['call']>
export type RuntimeEvent = Infer<Runtime['event']>

/** Creates the runtime of a dialect: its types, its metadata and its version. */
export function createRuntime(dialect: Dialect, parameters: RuntimeParameters) {
  const types = palletTypesOf(dialect)
  const { call, event, error, events } = types
  const extensions = extensionsWithout(dialect.omitted)
  const extra = tuple(...extensions.map((extension) => extension.extra))
  const extrinsic = extrinsicType({
    Address: multiAddress,
    Call: call,
    Signature: multiSignature,
    Extension: extra,
  })
  const apis = runtimeApis(extrinsic, dialect)
    .map((api) => ({
      ...api,
      methods: api.methods.filter((method) => !dialect.omitted.includes(`${api.name}_${method.name}`)),
    }))
    .filter(({ methods }) => methods.length > 0)
  const version = versionOf(dialect, apis)
  const definition: RuntimeDefinition = {
    pallets: palletsOf(dialect, types, version, parameters),
    apis,
    extensions,
    types: {
      runtime: runtimeMarker,
      address: multiAddress,
      signature: multiSignature,
      call,
      event,
      error,
      extra,
      extrinsic,
    },
  }
  return { dialect, version, definition, metadata: buildMetadata(definition), call, event, events }
}

function versionOf(dialect: Dialect, apis: readonly RuntimeApi[]): Infer<typeof runtimeVersion> {
  return {
    spec_name: 'node-subtensor',
    impl_name: 'node-subtensor',
    authoring_version: 1,
    spec_version: dialect.specVersion,
    impl_version: 1,
    apis: apis.map((api) => [blake2AsU8a(utf8(api.name), 64), api.version] as const),
    transaction_version: dialect.transactionVersion,
    system_version: 1,
  }
}

/** The codec treats an extrinsic as opaque bytes. Readers of metadata V14 look for this wrapper and its parameters. */
function extrinsicType(params: Readonly<Record<string, AnyType>>): ScaleType<Uint8Array> {
  const generic = newtype('sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic', bytes, params)
  return newtype('fp_self_contained::unchecked_extrinsic::UncheckedExtrinsic', generic, params)
}
