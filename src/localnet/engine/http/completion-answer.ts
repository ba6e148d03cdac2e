import type { Job, PromptPosition, Step, TokenReport } from '../generation/index.js'
import type { AnswerShape, PromptEcho } from './answer-shape.js'
import type { EngineState } from './engine-state.js'
import { clampLogprob, nameToken } from './token-names.js'

/** Bodies of POST /v1/completions (vllm entrypoints/openai/completion/protocol.py). */
export function completionShape(job: Job, state: EngineState): AnswerShape {
  const isCurrent = state.dialect === 'v1'
  const offsets = new Map<number, number>()

  const choice = (index: number, steps: readonly Step[], echo: PromptEcho | undefined) => {
    const texts = [...(echo?.texts ?? []), ...steps.map((step) => step.text)]
    const positions = [...(echo?.positions ?? []), ...steps.map((step) => step.top)]
    const ids = [...(echo?.ids ?? []), ...steps.map((step) => step.id)]
    const finish = steps.at(-1)?.finish
    return {
      index,
      text: texts.join(''),
      logprobs: job.logprobs === undefined ? null : logprobsOf(index, positions, ids),
      finish_reason: finish?.reason ?? null,
      stop_reason: finish?.stopReason ?? null,
    }
  }

  const logprobsOf = (index: number, positions: readonly PromptPosition[], ids: readonly number[]) => {
    let offset = offsets.get(index) ?? 0
    const textOffset: number[] = []
    const tokens: string[] = []
    for (const id of ids) {
      textOffset.push(offset)
      const name = nameToken(id, job, state.tokenizer)
      tokens.push(name)
      offset += name.length
    }
    offsets.set(index, offset)
    return {
      text_offset: textOffset,
      token_logprobs: positions.map((top) => (top === null ? null : clampLogprob(top[0]?.logprob ?? 0))),
      tokens,
      top_logprobs: positions.map((top) => (top === null ? null : topOf(top))),
    }
  }

  const topOf = (top: readonly TokenReport[]) =>
    Object.fromEntries(
      top.map((one) => [nameToken(one.id, job, state.tokenizer), clampLogprob(one.logprob)]).reverse(),
    )

  return {
    object: 'text_completion',
    streamObject: 'text_completion',
    idPrefix: 'cmpl-',
    opening: () => undefined,
    chunkChoice(index, steps, echo, isFirst) {
      const current = {
        prompt_token_ids: job.returnTokenIds && isFirst ? job.prompts[index] : null,
        token_ids: job.returnTokenIds ? steps.map((step) => step.id) : null,
      }
      return { ...choice(index, steps, echo), ...(isCurrent ? current : {}) }
    },
    chunkExtras: () => ({}),
    hasNullUsage: true,
    finalChoice(index, steps, echo, promptLogprobs) {
      const current = {
        token_ids: job.returnTokenIds ? steps.map((step) => step.id) : null,
        prompt_token_ids: job.returnTokenIds ? job.prompts[index] : null,
      }
      return {
        ...choice(index, steps, echo),
        ...(isCurrent ? current : {}),
        prompt_logprobs: promptLogprobs,
      }
    },
    finalExtras: () =>
      isCurrent ? { service_tier: null, system_fingerprint: null, kv_transfer_params: null } : {},
  }
}
