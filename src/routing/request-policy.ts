import { isJsonObject, type JsonObject } from '../kernel/index.js'

/** As configured: the default, nothing at all, or changes to the default. */
export type RequestPolicySetting =
  | 'default'
  | 'off'
  | {
      /** Members to let through besides those of the default. */
      readonly allow?: readonly string[] | undefined
      /** Members to refuse although the default lets them through. */
      readonly deny?: readonly string[] | undefined
      /** Member → highest number, or most entries of a list, object or batch. */
      readonly ceilings?: Readonly<Record<string, number>> | undefined
      /** Types of content parts to let through besides text, such as `image_url`. */
      readonly content?: readonly string[] | undefined
    }

/** What a request may ask of a model server. Plain data, so that a thread can be given it. */
export interface RequestPolicy {
  readonly allowed: ReadonlySet<string>
  readonly ceilings: ReadonlyMap<string, number>
  readonly content: ReadonlySet<string>
}

export interface PolicyViolation {
  /** The member at fault, as the caller wrote it. */
  readonly member: string
  readonly message: string
}

/** What OpenAI's clients send. vLLM ignores some of it. */
const OPENAI = [
  ...['model', 'messages', 'prompt', 'suffix', 'echo', 'stream', 'stream_options', 'user', 'seed', 'stop'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'n', 'best_of'],
  ...['presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs'],
  ...['response_format', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
  ...['reasoning_effort', 'verbosity', 'modalities', 'metadata', 'store', 'service_tier'],
  ...['safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
]

/** How vLLM samples, and how it writes down what it sampled (completion/protocol.py, chat_completion/protocol.py). */
const VLLM = [
  ...[
    'top_k',
    'min_p',
    'repetition_penalty',
    'length_penalty',
    'min_tokens',
    'bad_words',
    'allowed_token_ids',
  ],
  ...['stop_token_ids', 'include_stop_str_in_output', 'skip_special_tokens', 'spaces_between_special_tokens'],
  ...['truncate_prompt_tokens', 'add_special_tokens', 'add_generation_prompt', 'continue_final_message'],
  ...['return_tokens_as_token_ids', 'return_token_ids', 'include_reasoning'],
]

/**
 * One request must not cost what a hundred cost. The token ceilings lie beyond what a model server accepts by its own context;
 * 20 log probabilities are what vLLM returns at most unless told otherwise.
 */
const CEILINGS: Readonly<Record<string, number>> = {
  n: 8,
  best_of: 1,
  logprobs: 20,
  top_logprobs: 20,
  max_tokens: 131_072,
  max_completion_tokens: 131_072,
  min_tokens: 4096,
  stop: 16,
  stop_token_ids: 64,
  bad_words: 64,
  logit_bias: 1024,
  allowed_token_ids: 1024,
  tools: 128,
}

/** Types of content parts that are text. */
const TEXT_PARTS = ['text', 'input_text', 'output_text', 'refusal', 'thinking']

/** Members of a text part; a part of another allowed type also has the member named after it. */
const PART_MEMBERS = new Set(['type', 'text', 'refusal', 'thinking', 'annotations', 'cache_control'])

/** @returns undefined when every member is let through. */
export function createRequestPolicy(setting: RequestPolicySetting): RequestPolicy | undefined {
  if (setting === 'off') return undefined
  const { allow = [], deny = [], ceilings = {}, content = [] } = setting === 'default' ? {} : setting
  const denied = new Set(deny)
  return {
    allowed: new Set([...OPENAI, ...VLLM, ...allow].filter((name) => !denied.has(name))),
    // An operator who allows a member and names no ceiling for it wants none where the default has none.
    ceilings: new Map(Object.entries({ ...CEILINGS, ...ceilings })),
    content: new Set([...TEXT_PARTS, ...content]),
  }
}

/** The first thing in a request that the policy does not let through. */
export function findViolation(body: JsonObject, policy: RequestPolicy): PolicyViolation | undefined {
  for (const [member, value] of Object.entries(body)) {
    // Asks for nothing, and clients that write down every member send it.
    if (value === null || isSwitchedOff(member, value)) continue
    const message = policy.allowed.has(member)
      ? checkCeiling(member, value, policy.ceilings.get(member))
      : `The request policy of this server does not allow ${quote(member)}.`
    if (message !== undefined) return { member, message }
  }
  return findCostlyPrompt(body, policy) ?? findForeignContent(body, policy) ?? findForeignFormat(body, policy)
}

/** Members that do something only when they are true. */
const SWITCHES = new Set(['ignore_eos', 'use_beam_search'])

function isSwitchedOff(member: string, value: unknown): boolean {
  return value === false && SWITCHES.has(member)
}

/** vLLM reads numbers from text, and −1 as "all of them": neither may pass a ceiling. */
function checkCeiling(member: string, value: unknown, ceiling: number | undefined): string | undefined {
  if (ceiling === undefined) return undefined
  if (typeof value === 'object' && value !== null) {
    const { length } = Object.keys(value)
    return length <= ceiling
      ? undefined
      : `${quote(member)} has ${length} entries; this server takes ${ceiling}.`
  }
  if (typeof value === 'string' && member === 'stop') return undefined
  const isNumber = typeof value === 'number' || typeof value === 'boolean'
  if (isNumber && Number(value) >= 0 && Number(value) <= ceiling) return undefined
  return `${quote(member)} must be a number from 0 to ${ceiling} on this server.`
}

/** A list of prompts costs as much as as many requests; `echo` with `logprobs` is `prompt_logprobs` by another name. */
function findCostlyPrompt(
  body: JsonObject,
  { allowed, ceilings }: RequestPolicy,
): PolicyViolation | undefined {
  const { prompt, n, echo, logprobs } = body
  const most = ceilings.get('n') ?? Number.POSITIVE_INFINITY
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1
  const answers = prompts * (typeof n === 'number' ? Math.max(1, n) : 1)
  if (answers > most)
    return {
      member: 'prompt',
      message: `"prompt" and "n" ask for ${answers} answers; this server gives ${most}.`,
    }
  // A chat's echo takes top_logprobs, 0 when absent, and vLLM reads `logprobs: false` of a completion as 0.
  const isPlain = !echo || (body.messages === undefined && (logprobs === undefined || logprobs === null))
  if (isPlain || allowed.has('prompt_logprobs')) return undefined
  return {
    member: 'echo',
    message: '"echo" is allowed on this server only for completions without "logprobs".',
  }
}

/** A part that is not text makes the model server fetch an address or decode a file that the caller chose. */
function findForeignContent(
  { messages }: JsonObject,
  { content }: RequestPolicy,
): PolicyViolation | undefined {
  if (!Array.isArray(messages)) return undefined
  for (const [index, message] of messages.entries()) {
    const given: unknown = isJsonObject(message) ? message.content : undefined
    const parts = Array.isArray(given) ? given : isJsonObject(given) ? [given] : []
    for (const [at, part] of parts.entries()) {
      if (!isJsonObject(part)) continue
      const what = foreignTo(part, content)
      if (what === undefined) continue
      return {
        member: 'messages',
        message: `messages[${index}].content[${at}] ${what}; this server takes only text.`,
      }
    }
  }
  return undefined
}

/** What is not text in a part. vLLM looks for media in a part of any type once it has a `uuid`, so members count too. */
function foreignTo(part: JsonObject, content: ReadonlySet<string>): string | undefined {
  if (typeof part.type !== 'string') return 'has no type'
  if (!content.has(part.type)) return `has the type ${quote(part.type)}`
  const members = Object.keys(part).filter((name) => part[name] !== null)
  const foreign = members.find((name) => !PART_MEMBERS.has(name) && !content.has(name))
  return foreign === undefined ? undefined : `has the member ${quote(foreign)}`
}

const FORMATS = new Set(['text', 'json_object', 'json_schema'])

/** Other formats are vLLM's own, for grammars and regular expressions that it compiles for each request. */
function findForeignFormat(body: JsonObject, { allowed }: RequestPolicy): PolicyViolation | undefined {
  const format = body.response_format
  if (!isJsonObject(format) || allowed.has('structured_outputs')) return undefined
  if (typeof format.type === 'string' && FORMATS.has(format.type)) return undefined
  const message = `"response_format" must have the type ${[...FORMATS].join(', ')} on this server.`
  return { member: 'response_format', message }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}
