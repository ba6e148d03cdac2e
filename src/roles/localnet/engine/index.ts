export { BEHAVIOURS, type BehaviourName } from './behaviour/index.js'
export { type DevelopmentEngine, startDevelopmentEngine } from './engine.js'
export { ENGINE_FAULTS, type EngineFault } from './http/index.js'
export {
  DEVELOPMENT_MODELS,
  type DevelopmentModel,
  type Distribution,
  encodeChat,
  type LanguageModel,
  loadModel,
  loadTokenizer,
  type Tokenizer,
} from './language/index.js'
export type { DevelopmentEngineDeps, DevelopmentEngineOptions, Dialect } from './options.js'
