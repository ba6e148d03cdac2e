import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type JsonObject } from '../kernel/index.js'

/** Characters of a prompt: longer than any model's context, and short enough not to block the engine that verifies all miners. */
export const MAX_PROMPT = 1_000_000

/**
 * Members that change the prompt, what an honest server samples, or how it writes that down, with the values that change nothing.
 * The reference engine scores the plain prompt, so an honest answer to any other value would fail.
 */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  tools: [[]],
  functions: [[]],
  tool_choice: ['none'],
  function_call: ['none'],
  response_format: [{ type: 'text' }],
  logit_bias: [{}],
  bad_words: [[]],
  presence_penalty: [0],
  frequency_penalty: [0],
  repetition_penalty: [1],
  stop: [[], ''],
  stop_token_ids: [[]],
  min_tokens: [0],
  ignore_eos: [false],
  use_beam_search: [false],
  n: [1],
  best_of: [1],
  echo: [false],
  suffix: [''],
  chat_template_kwargs: [{}],
  documents: [[]],
  add_generation_prompt: [true],
  continue_final_message: [false],
  include_reasoning: [true],
  return_tokens_as_token_ids: [true],
  skip_special_tokens: [true],
  spaces_between_special_tokens: [true],
}

/** Members with which an answer is the same whatever their value; top_p, top_k and min_p, because the checks allow for cuts. */
const HARMLESS = new Set([
  ...[
    'model',
    'messages',
    'prompt',
    'stream',
    'stream_options',
    'seed',
    'max_tokens',
    'max_completion_tokens',
  ],
  ...['temperature', 'top_p', 'top_k', 'min_p', 'logprobs', 'top_logprobs', 'return_token_ids'],
  // Of searches for several answers and of stop sequences, neither of which is reproducible.
  ...['length_penalty', 'include_stop_str_in_output'],
  // vLLM ignores these.
  ...['user', 'parallel_tool_calls', 'verbosity', 'modalities', 'metadata', 'store', 'service_tier'],
  ...['safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
])

/**
 * Whether the reference engine can judge answers to the body of this request: it has one text prompt, and every other member is
 * known to leave the answer as it is. A hub hands validators such requests only, and a validator judges no others.
 */
export function isReproducible(request: JsonObject): boolean {
  return hasPlainPrompt(request) && Object.entries(request).every(isNeutral)
}

function isNeutral([member, value]: readonly [string, unknown]): boolean {
  if (value === null || value === undefined || HARMLESS.has(member)) return true
  const neutral = Object.hasOwn(NEUTRAL, member) ? NEUTRAL[member] : undefined
  return neutral?.some((one) => isDeepStrictEqual(one, value)) === true
}

const ROLES: readonly unknown[] = ['system', 'user', 'assistant']

/** Messages of a role and a text, or one text. Chat templates may read more than that of a message, such as a name. */
function hasPlainPrompt({ messages, prompt }: JsonObject): boolean {
  if (!Array.isArray(messages)) return typeof prompt === 'string' && prompt.length <= MAX_PROMPT
  let characters = 0
  return messages.every((message: unknown) => {
    if (!isJsonObject(message)) return false
    const { role, content, ...rest } = message
    if (typeof content !== 'string' || !ROLES.includes(role)) return false
    characters += content.length
    return characters <= MAX_PROMPT && Object.values(rest).every((value) => value === null)
  })
}

/** Values that switch a cut off; a member that is missing leaves it to the server. Penalties are neutral, or nothing is judged. */
const NO_CUTS: Readonly<Record<string, readonly unknown[]>> = { top_p: [1], top_k: [-1, 0], min_p: [0] }

/** Whether the request itself says that the server draws from whole distributions. */
export function rulesOutCuts(request: JsonObject): boolean {
  const states = (member: string) => request[member] !== undefined && request[member] !== null
  return (
    Object.entries(NO_CUTS).every(([member, values]) => values.includes(request[member])) &&
    // A model's generation_config.json may have one.
    states('repetition_penalty')
  )
}
