export { createModelList, DEFAULT_MODEL, type ModelList, type ModelListOptions } from './model-list.js'
export { isModelName } from './model-name.js'
