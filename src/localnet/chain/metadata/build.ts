import { type AnyType, encode, PortableRegistry, tuple } from '../scale/index.js'
import type { AnyItem } from '../storage/index.js'
import type { Pallet, RuntimeShape } from './definition.js'
import { portableTypes } from './portable-types.js'
import { metadataV14, metadataV15, metadataV16 } from './types.js'

export interface MetadataVersions {
  readonly 14: Uint8Array
  readonly 15: Uint8Array
  readonly 16: Uint8Array
}

/** `meta`, little-endian. */
const MAGIC = 0x6174656d
const NOT_DEPRECATED = { deprecation: { type: 'NotDeprecated', value: undefined } } as const

/** The metadata of a runtime in the three versions that clients ask for. */
export function buildMetadata(shape: RuntimeShape): MetadataVersions {
  const registry = new PortableRegistry()
  const pallets = shape.pallets.map((pallet) => describePallet(registry, pallet))
  const extensions = shape.extensions.map(({ identifier, extra, implicit }) => ({
    identifier,
    type: registry.idOf(extra),
    implicit: registry.idOf(implicit),
  }))
  const apis = shape.apis.map(({ name, version, methods }) => ({
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
  }))
  const address = registry.idOf(shape.types.address)
  const call = registry.idOf(shape.types.call)
  const signature = registry.idOf(shape.types.signature)
  const extra = registry.idOf(shape.types.extra)
  const extrinsic = registry.idOf(shape.types.extrinsic)
  const runtime = registry.idOf(shape.types.runtime)
  const outerEnums = {
    call,
    event: registry.idOf(shape.types.event),
    error: registry.idOf(shape.types.error),
  }
  const common = { magic: MAGIC, types: portableTypes(registry) }

  return {
    14: encode(metadataV14, {
      ...common,
      version: 14,
      pallets,
      extrinsic: { type: extrinsic, version: 4, extensions },
      runtime,
    }),
    15: encode(metadataV15, {
      ...common,
      version: 15,
      pallets: pallets.map((pallet) => ({ ...pallet, docs: [] })),
      extrinsic: { version: 4, address, call, signature, extra, extensions },
      runtime,
      apis,
      outerEnums,
      custom: [],
    }),
    16: encode(metadataV16, {
      ...common,
      version: 16,
      pallets: pallets.map(markPallet),
      extrinsic: {
        versions: Uint8Array.of(4, 5),
        address,
        call,
        signature,
        extensionsByVersion: [[0, extensions.map((_, index) => index)]],
        extensions,
      },
      apis: apis.map((api) => ({
        ...api,
        ...NOT_DEPRECATED,
        methods: api.methods.map((method) => ({ ...method, ...NOT_DEPRECATED })),
      })),
      outerEnums,
      custom: [],
    }),
  }
}

type DescribedPallet = ReturnType<typeof describePallet>

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

function markPallet(pallet: DescribedPallet) {
  const marked = (type: number | undefined) => (type === undefined ? undefined : { type, entries: [] })
  return {
    ...pallet,
    ...NOT_DEPRECATED,
    storage: pallet.storage && {
      ...pallet.storage,
      items: pallet.storage.items.map((item) => ({ ...item, ...NOT_DEPRECATED })),
    },
    calls: marked(pallet.calls),
    events: marked(pallet.events),
    errors: marked(pallet.errors),
    constants: pallet.constants.map((constant) => ({ ...constant, ...NOT_DEPRECATED })),
    associatedTypes: [],
    viewFunctions: [],
    docs: [],
  }
}
