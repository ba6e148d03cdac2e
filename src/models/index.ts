export { createModelList, type ModelList, type ModelListOptions } from './model-list.js'
