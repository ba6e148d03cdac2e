/** A deterministic stand-in for vLLM that needs no GPU and can cheat and fail; see docs/development/development-engine.md. */
export { BEHAVIOURS, type BehaviourName, ENGINE_FAULTS } from './behaviour/index.js'
export { type DevelopmentEngine, startDevelopmentEngine } from './engine.js'
export {
  DEVELOPMENT_MODELS,
  encodeChat,
  type LanguageModel,
  loadModel,
  loadTokenizer,
} from './language/index.js'
export type { DevelopmentEngineOptions, SamplingDefaults } from './options.js'
