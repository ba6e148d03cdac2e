/**
 * Encodes the metadata of a runtime, V14 to V16, from the types that its codec uses.
 * Tests named after a behaviour: conformance.test.ts (build.ts, portable-registry.ts, types.ts).
 */
export { buildMetadata } from './build.js'
export type {
  ApiMethod,
  Pallet,
  RuntimeApi,
  RuntimeDefinition,
  TransactionExtension,
} from './definition.js'
