import type { LanguageModel } from '../language/index.js'
import type { Behaviour, Occasion } from './behaviour.js'

/** A cheat in numbers. Without any of them, or on other occasions, the engine is honest. */
export interface Cheat extends Occasion {
  /** Standard deviation of Gaussian noise on the logits, in nats: FP8 weights are off by 0.1 to 0.2, INT4 by 0.2 to 0.7. */
  readonly logitNoise?: number
  /** The same number always gives the same noise; default 1. */
  readonly noiseSeed?: number
  /** Weights are rounded to multiples of this many nats. */
  readonly weightStep?: number
  /** Reports the logprobs of the requested model. */
  readonly rescores?: boolean
  /** The temperature asked for is multiplied by this. */
  readonly temperatureFactor?: number
  /** Leaves out the system prompt of chats. */
  readonly dropsSystemPrompt?: boolean
  /** Only this many last tokens of the prompt are read. */
  readonly promptTokens?: number
  /** Tokens of a cheaper model, off by this noise, are accepted wherever the requested one gives them this probability. */
  readonly draft?: { readonly logitNoise: number; readonly leastProbability: number }
}

/** Apart from the seeds of numeric noise, so that a cheat on the same card has other noise. */
const NOISE_SEED = 0xc4ea7

/** The parts of a behaviour that carry out a cheat. */
export function behaviourOfCheat(cheat: Cheat): Omit<Behaviour, 'summary'> {
  const { weightStep, rescores = false, temperatureFactor, draft, share, fromAnswer, afterMs } = cheat
  const seed = NOISE_SEED + (cheat.noiseSeed ?? 1)
  const noise = (sd: number | undefined) => (sd === undefined ? [] : [{ sd, seed }])
  return {
    occasion: {
      ...(share !== undefined && { share }),
      ...(fromAnswer !== undefined && { fromAnswer }),
      ...(afterMs !== undefined && { afterMs }),
    },
    rescores,
    ...((cheat.logitNoise !== undefined || weightStep !== undefined) && {
      chooseModel: (requested) =>
        requested.vary({
          logitNoise: noise(cheat.logitNoise),
          ...(weightStep !== undefined && { weightStep }),
        }),
    }),
    ...(draft && {
      chooseDraft: (requested) => ({
        model: requested.vary({ logitNoise: noise(draft.logitNoise) }),
        leastProbability: draft.leastProbability,
      }),
    }),
    ...(temperatureFactor !== undefined && {
      changeJob: (job) => ({
        ...job,
        sampling: { ...job.sampling, temperature: job.sampling.temperature * temperatureFactor },
      }),
    }),
    ...((cheat.dropsSystemPrompt || cheat.promptTokens !== undefined) && {
      changePrompt: (prompt, model) => {
        const kept = cheat.dropsSystemPrompt ? withoutSystemPrompt(prompt, model) : prompt
        return cheat.promptTokens === undefined ? kept : kept.slice(-Math.max(1, cheat.promptTokens))
      },
    }),
  }
}

/** The prompt without its first message if that is a system message; completions have none. */
function withoutSystemPrompt(prompt: readonly number[], { tokenizer }: LanguageModel): readonly number[] {
  const from = prompt.indexOf(tokenizer.special('<|start_header_id|>'))
  const header = prompt.indexOf(tokenizer.special('<|end_header_id|>'))
  const end = prompt.indexOf(tokenizer.special('<|eot_id|>'))
  const role = tokenizer.decode(prompt.slice(from + 1, header))
  if (from < 0 || end < header || role !== 'system') return prompt
  return [...prompt.slice(0, from), ...prompt.slice(end + 1)]
}
