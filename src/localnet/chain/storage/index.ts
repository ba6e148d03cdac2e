/** The key-value state of the chain, and typed access to it by storage item. */
export { type RawReader, type RawWriter, StorageReader, StorageWriter } from './access.js'
export {
  type AnyItem,
  blake2b256,
  blake2Concat,
  type Hasher,
  identity,
  type KeyPart,
  map,
  optionalMap,
  optionalPlain,
  palletItems,
  plain,
  twoxConcat,
} from './item.js'
export { State } from './state.js'
