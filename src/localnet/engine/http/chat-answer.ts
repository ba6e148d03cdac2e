import type { Job, Step, TokenReport } from '../generation/index.js'
import type { AnswerShape } from './answer-shape.js'
import type { EngineState } from './engine-state.js'
import { clampLogprob, nameToken } from './token-names.js'

/** Bodies of POST /v1/chat/completions (vllm entrypoints/openai/chat_completion/protocol.py). */
export function chatShape(job: Job, state: EngineState): AnswerShape {
  const isCurrent = state.dialect === 'v1'

  const describe = ({ id, logprob }: TokenReport) => ({
    token: nameToken(id, job, state.tokenizer),
    logprob: clampLogprob(logprob),
    bytes: [...Buffer.from(state.tokenizer.textOf(id))],
  })
  const logprobsOf = (steps: readonly Step[]) =>
    job.logprobs === undefined
      ? null
      : {
          content: steps.map((step) => ({
            ...describe(step),
            top_logprobs: step.top.slice(0, job.logprobs).map(describe),
          })),
        }
  const finishOf = (steps: readonly Step[]) => steps.at(-1)?.finish
  const idsOf = (steps: readonly Step[]) => (job.returnTokenIds ? steps.map((step) => step.id) : null)
  const textOf = (steps: readonly Step[]) => steps.map((step) => step.text).join('')

  return {
    object: 'chat.completion',
    streamObject: 'chat.completion.chunk',
    idPrefix: 'chatcmpl-',
    opening: () => ({
      index: 0,
      delta: { role: 'assistant', content: '' },
      logprobs: null,
      finish_reason: null,
    }),
    chunkChoice(index, steps) {
      const finish = finishOf(steps)
      return {
        index,
        delta: { content: textOf(steps) },
        logprobs: logprobsOf(steps),
        finish_reason: finish?.reason ?? null,
        ...(finish ? { stop_reason: finish.stopReason } : {}),
        ...(isCurrent ? { token_ids: idsOf(steps) } : {}),
      }
    },
    chunkExtras: () => (isCurrent ? { prompt_token_ids: job.returnTokenIds ? job.prompts[0] : null } : {}),
    hasNullUsage: false,
    finalChoice(index, steps) {
      const finish = finishOf(steps)
      const content = textOf(steps)
      const message = isCurrent
        ? {
            role: 'assistant',
            content,
            refusal: null,
            annotations: null,
            audio: null,
            function_call: null,
            tool_calls: [],
            reasoning: null,
          }
        : { role: 'assistant', content, tool_calls: [] }
      return {
        index,
        message,
        logprobs: logprobsOf(steps),
        finish_reason: finish?.reason ?? null,
        stop_reason: finish?.stopReason ?? null,
        ...(isCurrent ? { token_ids: idsOf(steps) } : {}),
      }
    },
    finalExtras: (promptLogprobs) => ({
      ...(isCurrent ? { service_tier: null, system_fingerprint: null } : {}),
      prompt_logprobs: promptLogprobs,
      ...(isCurrent
        ? { prompt_token_ids: job.returnTokenIds ? job.prompts[0] : null, kv_transfer_params: null }
        : {}),
    }),
  }
}
