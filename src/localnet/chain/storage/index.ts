/** The key-value state of the chain, and typed access to it by storage item. */
export { StorageReader, StorageWriter } from './access.js'
export {
  type AnyItem,
  blake2b256,
  blake2Concat,
  identity,
  map,
  optionalMap,
  optionalPlain,
  palletItems,
  plain,
  twoxConcat,
} from './item.js'
export { State } from './state.js'
