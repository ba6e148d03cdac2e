import type { LanguageModel, SamplerName } from '../language/index.js'

/** `raw`: the model's own logprobs (V1). `processed`: after penalties, temperature, top-k, top-p and min-p (0.6.x). */
export type LogprobsMode = 'raw' | 'processed'

/** How a server turns distributions into tokens and logprobs. */
export interface Decoding {
  readonly mode: LogprobsMode
  readonly sampler: SamplerName
  /** The model whose logprobs are reported; default the one that generates. Only cheating engines set it. */
  readonly reportedBy?: LanguageModel | undefined
  /** Only cheating engines set it: a correct server's draft model does not change the distribution of its tokens. */
  readonly draft?: Draft | undefined
}

/** A cheaper model that proposes each token. */
export interface Draft {
  readonly model: LanguageModel
  /** A proposal is accepted where the model gives it at least this probability; 0: always. */
  readonly leastProbability: number
}
