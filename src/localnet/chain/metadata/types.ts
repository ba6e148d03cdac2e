import {
  at,
  bytes,
  compactU32,
  option,
  str,
  struct,
  tuple,
  u8,
  u32,
  unitVariants,
  variant,
  vec,
} from '../scale/index.js'

// scale-info's portable types and the parts that all metadata versions share.
const docs = vec(str)
const typeId = compactU32

const field = struct('Field', { name: option(str), type: typeId, typeName: option(str), docs })
const variantEntry = struct('Variant', { name: str, fields: vec(field), index: u8, docs })
const PRIMITIVES = 'Bool Char Str U8 U16 U32 U64 U128 U256 I8 I16 I32 I64 I128 I256'
const primitive = variant('Primitive', unitVariants(...PRIMITIVES.split(' ')))
export const typeDefinition = variant('TypeDef', {
  Composite: at(0, { fields: vec(field) }),
  Variant: at(1, { variants: vec(variantEntry) }),
  Sequence: at(2, { type: typeId }),
  Array: at(3, { length: u32, type: typeId }),
  Tuple: at(4, [vec(typeId)]),
  Primitive: at(5, [primitive]),
  Compact: at(6, { type: typeId }),
})
const typeParameter = struct('TypeParameter', { name: str, type: option(typeId) })
const portableType = struct('PortableType', {
  id: typeId,
  type: struct('Type', { path: vec(str), params: vec(typeParameter), definition: typeDefinition, docs }),
})

const hasher = variant('Hasher', {
  Blake2_128: at(0, null),
  Blake2_256: at(1, null),
  Blake2_128Concat: at(2, null),
  Twox128: at(3, null),
  Twox256: at(4, null),
  Twox64Concat: at(5, null),
  Identity: at(6, null),
})
const entryFields = {
  name: str,
  modifier: variant('Modifier', unitVariants('Optional', 'Default')),
  type: variant('EntryType', {
    Plain: at(0, [typeId]),
    Map: at(1, { hashers: vec(hasher), key: typeId, value: typeId }),
  }),
  fallback: bytes,
  docs,
} as const
const constantFields = { name: str, type: typeId, value: bytes, docs } as const
const parameter = struct('Parameter', { name: str, type: typeId })
const method = struct('Method', { name: str, inputs: vec(parameter), output: typeId, docs })
const outerEnums = struct('OuterEnums', { call: typeId, event: typeId, error: typeId })
const signedExtension = struct('SignedExtension', { identifier: str, type: typeId, implicit: typeId })
const custom = vec(tuple(str, u8))
const header = { magic: u32, version: u8, types: vec(portableType) } as const

const palletFields14 = {
  name: str,
  storage: option(struct('Storage', { prefix: str, items: vec(struct('Entry', entryFields)) })),
  calls: option(typeId),
  events: option(typeId),
  constants: vec(struct('Constant', constantFields)),
  errors: option(typeId),
  index: u8,
} as const

export const metadataV14 = struct('MetadataV14', {
  ...header,
  pallets: vec(struct('PalletV14', palletFields14)),
  extrinsic: struct('ExtrinsicV14', { type: typeId, version: u8, extensions: vec(signedExtension) }),
  runtime: typeId,
})

export const metadataV15 = struct('MetadataV15', {
  ...header,
  pallets: vec(struct('PalletV15', { ...palletFields14, docs })),
  extrinsic: struct('ExtrinsicV15', {
    version: u8,
    address: typeId,
    call: typeId,
    signature: typeId,
    extra: typeId,
    extensions: vec(signedExtension),
  }),
  runtime: typeId,
  apis: vec(struct('ApiV15', { name: str, methods: vec(method), docs })),
  outerEnums,
  custom,
})

// V16 adds deprecation info, the version of each runtime API and the extensions of each extrinsic version.
const deprecation = variant('Deprecation', { NotDeprecated: at(0, null) })
const deprecatableType = option(
  struct('DeprecatableType', { type: typeId, entries: vec(tuple(u8, deprecation)) }),
)

export const metadataV16 = struct('MetadataV16', {
  ...header,
  pallets: vec(
    struct('PalletV16', {
      name: str,
      storage: option(
        struct('StorageV16', {
          prefix: str,
          items: vec(struct('EntryV16', { ...entryFields, deprecation })),
        }),
      ),
      calls: deprecatableType,
      events: deprecatableType,
      constants: vec(struct('ConstantV16', { ...constantFields, deprecation })),
      errors: deprecatableType,
      associatedTypes: vec(struct('AssociatedType', { name: str, type: typeId, docs })),
      viewFunctions: vec(struct('ViewFunction', { name: str })),
      index: u8,
      docs,
      deprecation,
    }),
  ),
  extrinsic: struct('ExtrinsicV16', {
    versions: bytes,
    address: typeId,
    call: typeId,
    signature: typeId,
    extensionsByVersion: vec(tuple(u8, vec(compactU32))),
    extensions: vec(signedExtension),
  }),
  apis: vec(
    struct('ApiV16', {
      name: str,
      methods: vec(
        struct('MethodV16', { name: str, inputs: vec(parameter), output: typeId, docs, deprecation }),
      ),
      docs,
      version: typeId,
      deprecation,
    }),
  ),
  outerEnums,
  custom,
})
