export { BEHAVIOURS, type BehaviourName } from './behaviour/index.js'
export { type DevelopmentEngine, startDevelopmentEngine } from './engine.js'
export { ENGINE_FAULTS } from './http/index.js'
export {
  DEVELOPMENT_MODELS,
  encodeChat,
  type LanguageModel,
  loadModel,
  loadTokenizer,
} from './language/index.js'
export type { DevelopmentEngineOptions } from './options.js'
