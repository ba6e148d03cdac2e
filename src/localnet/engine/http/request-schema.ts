import { z } from 'zod'
import type { Dialect } from '../options.js'

const count = z.int().nonnegative()
const id = z.int().nonnegative()

/** Fields of both generation routes. As in vLLM, `null` means "not given". */
const SHARED = {
  model: z.string().nullish(),
  max_tokens: count.nullish(),
  min_tokens: count.nullish(),
  temperature: z.number().nonnegative().nullish(),
  top_p: z.number().gt(0).lte(1).nullish(),
  top_k: z.int().gte(-1).nullish(),
  min_p: z.number().gte(0).lte(1).nullish(),
  presence_penalty: z.number().gte(-2).lte(2).nullish(),
  frequency_penalty: z.number().gte(-2).lte(2).nullish(),
  repetition_penalty: z.number().gt(0).lte(2).nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
  n: z.int().positive().nullish(),
  best_of: z.int().positive().nullish(),
  seed: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stop_token_ids: z.array(id).nullish(),
  ignore_eos: z.boolean().nullish(),
  include_stop_str_in_output: z.boolean().nullish(),
  skip_special_tokens: z.boolean().nullish(),
  spaces_between_special_tokens: z.boolean().nullish(),
  add_special_tokens: z.boolean().nullish(),
  echo: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .object({ include_usage: z.boolean().nullish(), continuous_usage_stats: z.boolean().nullish() })
    .nullish(),
  user: z.string().nullish(),
  prompt_logprobs: z.int().gte(-1).nullish(),
  truncate_prompt_tokens: z.int().gte(-1).nullish(),
}

/** Fields that a 0.6.2 server rejects. */
const CURRENT_ONLY = {
  return_tokens_as_token_ids: z.boolean().nullish(),
  return_token_ids: z.boolean().nullish(),
}

const COMPLETION = {
  prompt: z.union([z.string(), z.array(id), z.array(z.string()), z.array(z.array(id))]),
  logprobs: z
    .union([count, z.boolean()])
    .nullish()
    .transform((value) => (typeof value === 'boolean' ? Number(value) : value)),
  suffix: z.null().optional(),
}

const MESSAGE = z.object({
  role: z.string(),
  content: z
    .union([z.string(), z.array(z.object({ type: z.literal('text'), text: z.string() }))])
    .nullish()
    .transform((content) =>
      typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('\n'),
    ),
})

const CHAT = {
  messages: z.array(MESSAGE),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().gte(0).nullish(),
  add_generation_prompt: z.boolean().nullish(),
  continue_final_message: z.boolean().nullish(),
}

const TOKENIZE = { model: z.string().nullish(), add_special_tokens: z.boolean().nullish() }
const TOKENIZE_TEXT = { ...TOKENIZE, prompt: z.string() }
const TOKENIZE_CHAT = {
  ...TOKENIZE,
  messages: z.array(MESSAGE),
  add_generation_prompt: z.boolean().nullish(),
  continue_final_message: z.boolean().nullish(),
}
const DETOKENIZE = { model: z.string().nullish(), tokens: z.array(id) }

const current = {
  completion: z.object({ ...SHARED, ...CURRENT_ONLY, ...COMPLETION }),
  chat: z.object({ ...SHARED, ...CURRENT_ONLY, ...CHAT, max_completion_tokens: count.nullish() }),
  tokenizeText: z.object({ ...TOKENIZE_TEXT, return_token_strs: z.boolean().nullish() }),
  tokenizeChat: z.object({ ...TOKENIZE_CHAT, return_token_strs: z.boolean().nullish() }),
  detokenize: z.object(DETOKENIZE),
}

export type CompletionBody = z.infer<typeof current.completion>
export type ChatBody = z.infer<typeof current.chat>
export type SharedBody = Omit<CompletionBody, 'prompt' | 'logprobs' | 'suffix'>
type TokenizeTextBody = z.infer<typeof current.tokenizeText>
type TokenizeChatBody = z.infer<typeof current.tokenizeChat>
type DetokenizeBody = z.infer<typeof current.detokenize>

export interface RequestSchemas {
  readonly completion: z.ZodType<CompletionBody>
  readonly chat: z.ZodType<ChatBody>
  readonly tokenizeText: z.ZodType<TokenizeTextBody>
  readonly tokenizeChat: z.ZodType<TokenizeChatBody>
  readonly detokenize: z.ZodType<DetokenizeBody>
}

const SCHEMAS: Record<Dialect, RequestSchemas> = {
  v1: current,
  v0: {
    completion: z.strictObject({ ...SHARED, ...COMPLETION }),
    chat: z.strictObject({ ...SHARED, ...CHAT }),
    tokenizeText: z.strictObject(TOKENIZE_TEXT),
    tokenizeChat: z.strictObject(TOKENIZE_CHAT),
    detokenize: z.strictObject(DETOKENIZE),
  },
}

/** 0.6.2 rejects unknown fields; current servers ignore them. */
export function schemasOf(dialect: Dialect): RequestSchemas {
  return SCHEMAS[dialect]
}

/** Why a body was rejected, in the style of pydantic's report. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => {
      const where = ['body', ...issue.path.map(String)].join('.')
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => `${where}.${key}: Extra inputs are not permitted`).join('; ')
      }
      return `${where}: ${issue.message}`
    })
    .join('; ')
}
