import { type AnyType, encode, tuple } from '../scale/index.js'
import type { AnyItem } from '../storage/index.js'
import type { Pallet, RuntimeApi, RuntimeDefinition } from './definition.js'
import { PortableRegistry } from './portable-registry.js'
import { metadataV14, metadataV15, metadataV16 } from './types.js'

export interface MetadataVersions {
  readonly 14: Uint8Array
  readonly 15: Uint8Array
  readonly 16: Uint8Array
}

/** `meta`, little-endian. */
const MAGIC = 0x6174656d
const NOT_DEPRECATED = { deprecation: { type: 'NotDeprecated', value: undefined } } as const

/** The metadata of a runtime in the three versions that clients request. */
export function buildMetadata(definition: RuntimeDefinition): MetadataVersions {
  const parts = describeRuntime(definition)
  return {
    14: encode(metadataV14, v14Of(parts)),
    15: encode(metadataV15, v15Of(parts)),
    16: encode(metadataV16, v16Of(parts)),
  }
}

type RuntimeParts = ReturnType<typeof describeRuntime>

/** What the versions share. Types get their ids here, so the order of these lines decides the metadata bytes. */
function describeRuntime({ pallets, extensions, apis, types }: RuntimeDefinition) {
  const registry = new PortableRegistry()
  const parts = {
    pallets: pallets.map((pallet) => describePallet(registry, pallet)),
    extensions: extensions.map(({ identifier, extra, implicit }) => ({
      identifier,
      type: registry.idOf(extra),
      implicit: registry.idOf(implicit),
    })),
    apis: apis.map((api) => describeApi(registry, api)),
    address: registry.idOf(types.address),
    call: registry.idOf(types.call),
    signature: registry.idOf(types.signature),
    extra: registry.idOf(types.extra),
    extrinsic: registry.idOf(types.extrinsic),
    runtime: registry.idOf(types.runtime),
    event: registry.idOf(types.event),
    error: registry.idOf(types.error),
  }
  return { ...parts, common: { magic: MAGIC, types: registry.portableTypes() } }
}

function v14Of({ common, pallets, extrinsic, extensions, runtime }: RuntimeParts) {
  return { ...common, version: 14, pallets, extrinsic: { type: extrinsic, version: 4, extensions }, runtime }
}

function v15Of(parts: RuntimeParts) {
  const { common, pallets, address, call, signature, extra, extensions, runtime, apis, event, error } = parts
  return {
    ...common,
    version: 15,
    pallets: pallets.map((pallet) => ({ ...pallet, docs: [] })),
    extrinsic: { version: 4, address, call, signature, extra, extensions },
    runtime,
    apis,
    outerEnums: { call, event, error },
    custom: [],
  }
}

function v16Of({ common, pallets, address, call, signature, extensions, apis, event, error }: RuntimeParts) {
  return {
    ...common,
    version: 16,
    pallets: pallets.map(palletV16),
    extrinsic: {
      versions: Uint8Array.of(4, 5),
      address,
      call,
      signature,
      extensionsByVersion: [[0, extensions.map((_, index) => index)] as const],
      extensions,
    },
    apis: apis.map((api) => ({
      ...api,
      ...NOT_DEPRECATED,
      methods: api.methods.map((method) => ({ ...method, ...NOT_DEPRECATED })),
    })),
    outerEnums: { call, event, error },
    custom: [],
  }
}

function describeApi(registry: PortableRegistry, { name, version, methods }: RuntimeApi) {
  return {
    name,
    version,
    docs: [],
    methods: methods.map((method) => ({
      name: method.name,
      inputs: Object.entries(method.inputs).map(([input, type]) => ({
        name: input,
        type: registry.idOf(type),
      })),
      output: registry.idOf(method.output),
      docs: [],
    })),
  }
}

type PalletParts = ReturnType<typeof describePallet>

function describePallet(registry: PortableRegistry, pallet: Pallet) {
  const idOf = (type: AnyType | undefined) => (type ? registry.idOf(type) : undefined)
  const items = pallet.storage.map((item) => describeItem(registry, item))
  return {
    name: pallet.name,
    storage: items.length > 0 ? { prefix: pallet.name, items } : undefined,
    calls: idOf(pallet.calls),
    events: idOf(pallet.events),
    errors: idOf(pallet.errors),
    constants: pallet.constants.map(({ name, type, value }) => ({
      name,
      type: registry.idOf(type),
      value: encode(type, value),
      docs: [],
    })),
    index: pallet.index,
  }
}

function describeItem(registry: PortableRegistry, item: AnyItem) {
  const value = registry.idOf(item.value)
  const [first, ...others] = item.keys
  const key = first && (others.length === 0 ? first.type : tuple(...item.keys.map((part) => part.type)))
  return {
    name: item.name,
    modifier: { type: item.optional ? 'Optional' : 'Default', value: undefined } as const,
    type: key
      ? ({
          type: 'Map',
          value: {
            hashers: item.keys.map((part) => ({ type: part.hasher, value: undefined })),
            key: registry.idOf(key),
            value,
          },
        } as const)
      : ({ type: 'Plain', value } as const),
    fallback: item.optional ? Uint8Array.of(0) : encode(item.value, item.fallback),
    docs: [],
  }
}

function palletV16(pallet: PalletParts) {
  const withDeprecation = (type: number | undefined) =>
    type === undefined ? undefined : { type, entries: [] }
  return {
    ...pallet,
    ...NOT_DEPRECATED,
    storage: pallet.storage && {
      ...pallet.storage,
      items: pallet.storage.items.map((item) => ({ ...item, ...NOT_DEPRECATED })),
    },
    calls: withDeprecation(pallet.calls),
    events: withDeprecation(pallet.events),
    errors: withDeprecation(pallet.errors),
    constants: pallet.constants.map((constant) => ({ ...constant, ...NOT_DEPRECATED })),
    associatedTypes: [],
    viewFunctions: [],
    docs: [],
  }
}
