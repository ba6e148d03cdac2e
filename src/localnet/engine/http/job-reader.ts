import type { Job } from '../generation/index.js'
import { encodeChat, type TemplateMessage } from '../language/index.js'
import { ApiError } from './api-error.js'
import type { EngineState } from './engine-state.js'
import { deadEngine } from './faults.js'
import type { ChatBody, CompletionBody, SharedBody } from './request-schema.js'

/** Maximum prompts in one call (current servers: VLLM_MAX_COMPLETION_PROMPTS). */
const MAX_PROMPTS = 1024

/** @throws ApiError worded as vLLM words it */
export function readCompletion(body: CompletionBody, state: EngineState): Job {
  const bos = body.add_special_tokens !== false
  const listed: (string | number[])[] = []
  if (typeof body.prompt === 'string') listed.push(body.prompt)
  else if (isIdList(body.prompt)) listed.push(body.prompt)
  else listed.push(...body.prompt)
  if (listed.length === 0) throw new ApiError(400, 'please provide at least one prompt')
  if (listed.length > MAX_PROMPTS) throw new ApiError(400, `Too many prompts, the most is ${MAX_PROMPTS}.`)
  const prompts = listed.map((prompt) =>
    truncate(typeof prompt === 'string' ? state.tokenizer.encode(prompt, { bos }) : prompt, body, state),
  )
  for (const prompt of prompts) checkIds(prompt, state)
  const echo = body.echo === true
  const maxTokens = body.max_tokens ?? 16
  const promptLogprobs = body.prompt_logprobs ?? (echo ? body.logprobs : undefined) ?? undefined
  if (body.stream && (body.prompt_logprobs ?? 0) > 0) {
    throw new ApiError(400, '`prompt_logprobs` are not available when `stream=True`.')
  }
  if (maxTokens < 1 && !echo) throw new ApiError(400, `max_tokens must be at least 1, got ${maxTokens}.`)
  const job = { ...readShared(body, state), prompts, maxTokens, promptLogprobs, echo }
  return checkJob({ ...job, endpoint: 'completion', logprobs: body.logprobs ?? undefined }, state, 'prompt')
}

/** @throws ApiError worded as vLLM words it */
export function readChat(body: ChatBody, state: EngineState): Job {
  const prompt = truncate(encodeMessages(body.messages, body, state), body, state)
  if ((body.top_logprobs ?? 0) > 0 && !body.logprobs) {
    throw new ApiError(400, 'when using `top_logprobs`, `logprobs` must be set to true.')
  }
  if (body.stream && (body.prompt_logprobs ?? 0) > 0) {
    throw new ApiError(400, '`prompt_logprobs` are not available when `stream=True`.')
  }
  const room = state.maxModelLen - prompt.length
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? Math.max(1, room)
  if (maxTokens < 1) throw new ApiError(400, `max_tokens must be at least 1, got ${maxTokens}.`)
  const shared = readShared(body, state)
  const temperature = body.temperature ?? (state.dialect === 'v0' ? 0.7 : 1)
  const job: Job = {
    ...shared,
    endpoint: 'chat',
    sampling: { ...shared.sampling, temperature },
    prompts: [prompt],
    maxTokens,
    logprobs: body.logprobs ? (body.top_logprobs ?? 0) : undefined,
    promptLogprobs: body.prompt_logprobs ?? undefined,
    echo: false,
  }
  return checkJob(job, state, 'messages')
}

/** The prompt ids of a chat, by the chat template. */
export function encodeMessages(
  messages: readonly TemplateMessage[],
  options: {
    readonly add_generation_prompt?: boolean | null | undefined
    readonly continue_final_message?: boolean | null | undefined
    readonly add_special_tokens?: boolean | null | undefined
  },
  state: EngineState,
): number[] {
  const addGenerationPrompt = options.add_generation_prompt ?? true
  const continueFinalMessage = options.continue_final_message ?? false
  if (addGenerationPrompt && continueFinalMessage) {
    throw new ApiError(400, 'Cannot set both `continue_final_message` and `add_generation_prompt` to True.')
  }
  const bos = options.add_special_tokens === true
  const all = state.templateDate ? [dateMessage(state), ...messages] : messages
  return encodeChat(state.tokenizer, all, { addGenerationPrompt, continueFinalMessage, bos })
}

/** What `strftime_now` makes of the template of Llama 3.2, in UTC. */
function dateMessage({ clock }: EngineState): TemplateMessage {
  const day = new Date(clock.now())
  const month = day.toLocaleDateString('en-US', { month: 'short', timeZone: 'UTC' })
  return { role: 'system', content: `Today Date: ${day.getUTCDate()} ${month} ${day.getUTCFullYear()}` }
}

export function checkModel(name: string | null | undefined, state: EngineState): string {
  const served = name ?? state.models[0] ?? ''
  if (!state.models.includes(served)) {
    throw new ApiError(404, `The model \`${served}\` does not exist.`, 'NotFoundError')
  }
  return served
}

type SharedJob = Omit<Job, 'endpoint' | 'prompts' | 'maxTokens' | 'logprobs' | 'promptLogprobs' | 'echo'>

function readShared(body: SharedBody, state: EngineState): SharedJob {
  const model = checkModel(body.model, state)
  if ((body.n ?? 1) !== 1 || (body.best_of ?? 1) !== 1) {
    throw new ApiError(
      400,
      'The development engine generates one answer per prompt: n and best_of must be 1.',
    )
  }
  if (state.dialect === 'v0' && body.top_k === 0) {
    throw new ApiError(400, 'top_k must be -1 (disable), or at least 1, got 0.')
  }
  return {
    model,
    sampling: {
      temperature: body.temperature ?? 1,
      topP: body.top_p ?? state.samplingDefaults.topP ?? 1,
      topK: Math.max(0, body.top_k ?? state.samplingDefaults.topK ?? 0),
      minP: body.min_p ?? state.samplingDefaults.minP ?? 0,
      presencePenalty: body.presence_penalty ?? 0,
      frequencyPenalty: body.frequency_penalty ?? 0,
      repetitionPenalty: body.repetition_penalty ?? 1,
      logitBias: readLogitBias(body.logit_bias ?? {}, state),
    },
    seed: body.seed ?? state.nextRequest,
    minTokens: body.min_tokens ?? 0,
    stop: (typeof body.stop === 'string' ? [body.stop] : (body.stop ?? [])).filter((stop) => stop !== ''),
    stopTokenIds: new Set(body.stop_token_ids ?? []),
    ignoreEos: body.ignore_eos ?? false,
    includeStop: body.include_stop_str_in_output ?? false,
    skipSpecial: body.skip_special_tokens ?? true,
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    continuousUsage:
      (body.stream_options?.include_usage && body.stream_options.continuous_usage_stats) ?? false,
    tokensAsIds: body.return_tokens_as_token_ids ?? state.returnTokensAsTokenIds,
    returnTokenIds: body.return_token_ids ?? false,
  }
}

function readLogitBias(bias: Readonly<Record<string, number>>, state: EngineState): Map<number, number> {
  const read = new Map<number, number>()
  for (const [key, value] of Object.entries(bias)) {
    const id = Number(key)
    if (!Number.isInteger(id) || id < 0 || id >= state.tokenizer.size) {
      throw new ApiError(400, `token_id ${key} in logit_bias contains out-of-vocab token id`)
    }
    read.set(id, Math.min(100, Math.max(-100, value)))
  }
  return read
}

/** Enforces vLLM's limits. @throws ApiError worded as vLLM words it */
function checkJob(job: Job, state: EngineState, part: 'prompt' | 'messages'): Job {
  const { maxLogprobs, maxModelLen } = state
  if ((job.logprobs ?? 0) > maxLogprobs) {
    throw new ApiError(
      400,
      state.dialect === 'v0'
        ? `Cannot request more than ${maxLogprobs} logprobs.`
        : `Requested sample logprobs of ${job.logprobs}, which is greater than max allowed: ${maxLogprobs}`,
    )
  }
  if ((job.promptLogprobs ?? 0) > maxLogprobs || (job.promptLogprobs ?? 0) < 0) {
    throw new ApiError(
      400,
      state.dialect === 'v0'
        ? `Cannot request more than ${maxLogprobs} prompt logprobs.`
        : `Requested prompt logprobs of ${job.promptLogprobs}, which is greater than max allowed: ${maxLogprobs}`,
    )
  }
  if (job.minTokens > job.maxTokens) {
    throw new ApiError(
      400,
      `min_tokens must be less than or equal to max_tokens=${job.maxTokens}, got ${job.minTokens}.`,
    )
  }
  for (const prompt of job.prompts) {
    if (prompt.length === 0) throw new ApiError(400, 'The decoder prompt cannot be empty')
    if (prompt.length + job.maxTokens <= maxModelLen) continue
    throw new ApiError(
      400,
      `This model's maximum context length is ${maxModelLen} tokens. However, you requested ` +
        `${prompt.length + job.maxTokens} tokens (${prompt.length} in the ${part}, ${job.maxTokens} in the completion). ` +
        `Please reduce the length of the ${part} or completion.`,
    )
  }
  return job
}

/** Current servers reject an id outside the vocabulary; it crashes the engine of 0.6.2. */
function checkIds(prompt: readonly number[], state: EngineState): void {
  const outside = prompt.find((id) => id >= state.tokenizer.size)
  if (outside === undefined) return
  if (state.dialect === 'v1') throw new ApiError(400, `Token id ${outside} is out of vocabulary`)
  state.fault = 'dead'
  throw deadEngine()
}

function truncate(
  ids: number[],
  { truncate_prompt_tokens: limit }: { truncate_prompt_tokens?: number | null | undefined },
  state: EngineState,
): number[] {
  if (limit === null || limit === undefined) return ids
  const length = limit === -1 ? state.maxModelLen : limit
  return length === 0 ? [] : ids.slice(-length)
}

function isIdList(prompt: string[] | number[] | number[][]): prompt is number[] {
  return prompt.length > 0 && typeof prompt[0] === 'number'
}
