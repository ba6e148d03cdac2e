export { buildMetadata, type MetadataVersions } from './build.js'
export type { ApiMethod, Constant, Extension, Pallet, RuntimeApi, RuntimeShape } from './definition.js'
