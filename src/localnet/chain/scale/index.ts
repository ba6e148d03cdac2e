/**
 * A SCALE codec of its own, so that it shares no bug with the chain client it tests.
 * Tests named after a behaviour: scale.property.test.ts (composites.ts, containers.ts, primitives.ts, reader.ts).
 */
export { concatBytes, equalBytes, fromHex, toHex, utf8 } from './bytes.js'
export {
  at,
  type FieldsValue,
  newtype,
  struct,
  unitVariants,
  type VariantEntries,
  type VariantEntry,
  type VariantValue,
  variant,
} from './composites.js'
export { bytes, fixedBytes, option, tuple, vec } from './containers.js'
export {
  bool,
  compactU8,
  compactU16,
  compactU32,
  compactU64,
  compactU128,
  compactUnit,
  i128,
  str,
  u8,
  u16,
  u32,
  u64,
  u128,
  unit,
} from './primitives.js'
export { Reader } from './reader.js'
export { type AnyType, decode, encode, type Infer, type ScaleType } from './type.js'
export { Writer } from './writer.js'
