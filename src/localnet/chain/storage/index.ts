export { type RawReader, type RawWriter, StorageAccess, StorageReader } from './access.js'
export { apiId, blake2b256, type Hasher } from './hashing.js'
export {
  type AnyItem,
  blake2Concat,
  identity,
  type KeyPart,
  map,
  optionalMap,
  optionalPlain,
  placeItems,
  plain,
  twoxConcat,
} from './item.js'
export { State } from './state.js'
