import type { Job, PromptPosition, Step, TokenReport } from '../generation/index.js'
import {
  type AnswerShape,
  clampLogprob,
  nameToken,
  type PromptEcho,
  textOf,
  tokenIdsOf,
} from './answer-shape.js'
import type { EngineState } from './engine-state.js'

/** Bodies of POST /v1/completions (vllm entrypoints/openai/completion/protocol.py). */
export function completionShape(job: Job, state: EngineState): AnswerShape {
  const isCurrent = state.dialect === 'v1'
  const logprobs = new CompletionLogprobs(job, state)
  const choice = (index: number, steps: readonly Step[], echo: PromptEcho | undefined) => {
    const finish = steps.at(-1)?.finish
    return {
      index,
      text: `${echo?.texts.join('') ?? ''}${textOf(steps)}`,
      logprobs: job.logprobs === undefined ? null : logprobs.take(index, steps, echo),
      finish_reason: finish?.reason ?? null,
      stop_reason: finish?.stopReason ?? null,
    }
  }
  const promptIds = (index: number) => (job.returnTokenIds ? job.prompts[index] : null)
  return {
    object: 'text_completion',
    streamObject: 'text_completion',
    idPrefix: 'cmpl-',
    opening: () => undefined,
    chunkChoice: (index, steps, echo, isFirst) => ({
      ...choice(index, steps, echo),
      ...(isCurrent
        ? { prompt_token_ids: isFirst ? promptIds(index) : null, token_ids: tokenIdsOf(steps, job) }
        : {}),
    }),
    chunkExtras: () => ({}),
    hasNullUsage: true,
    finalChoice: (index, steps, echo, promptLogprobs) => ({
      ...choice(index, steps, echo),
      ...(isCurrent ? { token_ids: tokenIdsOf(steps, job), prompt_token_ids: promptIds(index) } : {}),
      prompt_logprobs: promptLogprobs,
    }),
    finalExtras: () =>
      isCurrent ? { service_tier: null, system_fingerprint: null, kv_transfer_params: null } : {},
  }
}

/** `choices[].logprobs`. Text offsets run on from one chunk of a choice to the next. */
class CompletionLogprobs {
  readonly #job: Job
  readonly #state: EngineState
  readonly #offsets = new Map<number, number>()

  constructor(job: Job, state: EngineState) {
    this.#job = job
    this.#state = state
  }

  take(index: number, steps: readonly Step[], echo: PromptEcho | undefined): object {
    const positions: PromptPosition[] = [...(echo?.positions ?? []), ...steps.map((step) => step.top)]
    let offset = this.#offsets.get(index) ?? 0
    const textOffset: number[] = []
    const tokens: string[] = []
    for (const id of [...(echo?.ids ?? []), ...steps.map((step) => step.id)]) {
      textOffset.push(offset)
      const name = this.#name(id)
      tokens.push(name)
      offset += name.length
    }
    this.#offsets.set(index, offset)
    return {
      text_offset: textOffset,
      token_logprobs: positions.map((top) => (top === null ? null : clampLogprob(top[0]?.logprob ?? 0))),
      tokens,
      top_logprobs: positions.map((top) => (top === null ? null : this.#topOf(top))),
    }
  }

  /** Reversed, so that of two tokens with the same name the likelier one stays. */
  #topOf(top: readonly TokenReport[]): object {
    return Object.fromEntries(top.map((one) => [this.#name(one.id), clampLogprob(one.logprob)]).reverse())
  }

  #name(id: number): string {
    return nameToken(id, this.#job, this.#state.tokenizer)
  }
}
