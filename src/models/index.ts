/** The list of models a validator verifies: the default one, a file, or an endpoint. */
export { createModelList, type ModelList, type ModelListOptions, readWantedModels } from './model-list.js'
