/**
 * A deterministic stand-in for vLLM that needs no GPU and can cheat and fail; see docs/development/development-engine.md. Tests named
 * after a behaviour: behaviour/cheats.test.ts and http/scoring.test.ts (options.ts).
 */
export { BEHAVIOURS, type BehaviourName, type Cheat, ENGINE_FAULTS } from './behaviour/index.js'
export { type DevelopmentEngine, startDevelopmentEngine } from './engine.js'
export {
  DEVELOPMENT_MODELS,
  encodeChat,
  type LanguageModel,
  loadModel,
  loadTokenizer,
  type SamplerName,
} from './language/index.js'
export type { DevelopmentEngineOptions, NumericNoise, SamplingDefaults } from './options.js'
