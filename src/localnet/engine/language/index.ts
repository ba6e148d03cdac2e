/**
 * The language model: tokenizer, chat template, next-token distributions and sampling. Tests named after a behaviour:
 * model.test.ts (corpus.ts), draws.test.ts (murmur3.ts, philox.ts).
 */
export { CHAT_TEMPLATE, encodeChat, type TemplateMessage } from './chat-template.js'
export type { Distribution } from './distribution.js'
export { type Draw, SAMPLERS, type SamplerName, startDraws } from './draws.js'
export { type Context, LanguageModel } from './model.js'
export { DEVELOPMENT_MODELS, loadModel, loadTokenizer } from './models.js'
export { fractionOf, hashText, mixHash } from './random.js'
export {
  NEUTRAL_SAMPLING,
  pickToken,
  processLogprobs,
  type SamplingSettings,
  type SeenTokens,
} from './sampling.js'
export { SPECIAL_TOKENS, type Tokenizer, TokenTextStream } from './tokenizer.js'
export type { Variation } from './variation.js'
