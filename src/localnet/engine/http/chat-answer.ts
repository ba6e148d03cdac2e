import type { Job, Step, TokenReport } from '../generation/index.js'
import { type AnswerShape, clampLogprob, nameToken, textOf, tokenIdsOf } from './answer-shape.js'
import type { EngineState } from './engine-state.js'

const OPENING = {
  index: 0,
  delta: { role: 'assistant', content: '' },
  logprobs: null,
  finish_reason: null,
} as const

/** Bodies of POST /v1/chat/completions (vllm entrypoints/openai/chat_completion/protocol.py). */
export function chatShape(job: Job, state: EngineState): AnswerShape {
  const isCurrent = state.dialect === 'v1'
  const promptIds = job.returnTokenIds ? job.prompts[0] : null
  const textMember = state.reasoningParser ? 'reasoning' : 'content'
  const tokenIds = (steps: readonly Step[]) => (isCurrent ? { token_ids: tokenIdsOf(steps, job) } : {})
  return {
    object: 'chat.completion',
    streamObject: 'chat.completion.chunk',
    idPrefix: 'chatcmpl-',
    opening: () => OPENING,
    chunkChoice(index, steps) {
      const finish = steps.at(-1)?.finish
      return {
        index,
        delta: { [textMember]: textOf(steps) },
        logprobs: logprobsOf(steps, job, state),
        finish_reason: finish?.reason ?? null,
        ...(finish ? { stop_reason: finish.stopReason } : {}),
        ...tokenIds(steps),
      }
    },
    chunkExtras: () => (isCurrent ? { prompt_token_ids: promptIds } : {}),
    hasNullUsage: false,
    finalChoice(index, steps) {
      const finish = steps.at(-1)?.finish
      return {
        index,
        message: messageOf(textOf(steps), isCurrent),
        logprobs: logprobsOf(steps, job, state),
        finish_reason: finish?.reason ?? null,
        stop_reason: finish?.stopReason ?? null,
        ...tokenIds(steps),
      }
    },
    finalExtras: (promptLogprobs) => ({
      ...(isCurrent ? { service_tier: null, system_fingerprint: null } : {}),
      prompt_logprobs: promptLogprobs,
      ...(isCurrent ? { prompt_token_ids: promptIds, kv_transfer_params: null } : {}),
    }),
  }
}

function messageOf(content: string, isCurrent: boolean): object {
  if (!isCurrent) return { role: 'assistant', content, tool_calls: [] }
  return {
    role: 'assistant',
    content,
    refusal: null,
    annotations: null,
    audio: null,
    function_call: null,
    tool_calls: [],
    reasoning: null,
  }
}

function logprobsOf(steps: readonly Step[], job: Job, { tokenizer }: EngineState): object | null {
  if (job.logprobs === undefined) return null
  const describe = ({ id, logprob }: TokenReport) => ({
    token: nameToken(id, job, tokenizer),
    logprob: clampLogprob(logprob),
    bytes: [...Buffer.from(tokenizer.textOf(id))],
  })
  return {
    content: steps.map((step) => ({
      ...describe(step),
      top_logprobs: step.top.slice(0, job.logprobs).map(describe),
    })),
  }
}
