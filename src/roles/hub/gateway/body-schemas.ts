import { z } from 'zod'

/** Messages, and prompts of a batch. */
const MAX_MESSAGES = 4096
const MAX_TOKENS = 131_072

const count = z.number().int().min(1).max(MAX_TOKENS).nullish()

/** What the hub itself reads of a body; everything else is the miner's to judge. */
const common = z.looseObject({
  model: z.string().min(1).max(200),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: count,
  n: z.number().int().min(1).max(8).nullish(),
  seed: z.number().int().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
})

export const chatBody = common.extend({
  messages: z
    .array(z.looseObject({ role: z.string().max(64) }))
    .min(1)
    .max(MAX_MESSAGES),
  max_completion_tokens: count,
  logprobs: z.boolean().nullish(),
})

export const completionBody = common.extend({
  prompt: z.union([z.string(), z.array(z.unknown()).min(1)]),
  logprobs: z.union([z.boolean(), z.number().int().min(0).max(20)]).nullish(),
})

/** Of routes that are only passed on. */
export const plainBody = z.looseObject({
  model: z.string().min(1).max(200),
  max_tokens: count,
  max_output_tokens: count,
})

export type ChatBody = z.output<typeof chatBody>
export type CompletionBody = z.output<typeof completionBody>
