import { z } from 'zod'
import {
  type Answer,
  type ChatMessage,
  DEFAULT_LIMITS,
  type InferenceRequest,
  type OutputToken,
  readChunk,
} from '../../../inference/index.js'
import { parseJson } from '../../../kernel/index.js'

const MAX_TOTAL_MS = 600_000
/** Records looked at, good or bad; a bucket of the hub has a hundred. */
const MAX_RECORDS = 1000
/** Models of a bucket; it was asked for those of the engines. */
const MAX_MODELS = 1000

/** Characters of a prompt: more than any model's context, and far less than would hold up the engine that judges everybody. */
const MAX_PROMPT = 1_000_000

/** The hub's times are whole milliseconds; a fraction is cut off, as in 4.4.1. */
const wholeMs = z.number().transform(Math.trunc)

const message = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })

const common = {
  uid: z.number().int().min(0).max(65535),
  hotkey: z.string().min(1).max(64),
  coldkey: z.string().min(1).max(64),
  endpoint: z.enum(['CHAT', 'COMPLETION']),
  request: z.looseObject({
    max_tokens: z.number().int().min(1).max(1_000_000),
    seed: z.number().int(),
    temperature: z.number().min(0).max(10),
    messages: z
      .array(message)
      .refine((messages) => messages.reduce((sum, { content }) => sum + content.length, 0) <= MAX_PROMPT)
      .optional(),
    prompt: z.string().max(MAX_PROMPT).optional(),
  }),
}

const answered = z
  .object({
    ...common,
    success: z.literal(true),
    total_time: wholeMs.pipe(z.number().gt(0).lt(MAX_TOTAL_MS)),
    time_to_first_token: wholeMs.pipe(z.number().min(0).lt(MAX_TOTAL_MS)),
    response_tokens: z.number().int().min(0),
    response: z.array(z.unknown()).max(100_000),
  })
  .refine(({ total_time: totalMs, time_to_first_token: firstMs }) => firstMs <= totalMs)

/** Of a miner that did not answer, or broke off, the hub has neither times nor tokens (zeros, and null for the answer). */
const failed = z.object({ ...common, success: z.literal(false) }).transform((record) => ({
  ...record,
  total_time: 0,
  time_to_first_token: 0,
  response_tokens: 0,
  response: [] as unknown[],
}))

/** One request of a user that a miner was given, as the hub hands it out. Times are milliseconds (ranges: SECURITY.md T-V15). */
export const organicRecord = z.union([answered, failed])

export type OrganicRecord = z.output<typeof organicRecord> & { readonly model: string }

const bucketShape = z.object({
  bucket_id: z.string().min(1).max(200).nullable(),
  // Looked into entry by entry: as a shape, a million names would take minutes.
  organics: z.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
})

export interface OrganicBucket {
  readonly id: string | undefined
  readonly records: readonly OrganicRecord[]
  /** Records that were no records: they never drop the rest (4.4.1 lost the bucket). */
  readonly refused: number
}

/** @returns undefined when the answer is no bucket at all. */
export function readBucket(text: string): OrganicBucket | undefined {
  const parsed = bucketShape.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const { bucket_id: id, organics } = parsed.data
  const records: OrganicRecord[] = []
  let models = 0
  let looked = 0
  let refused = 0
  for (const model in organics) {
    const entries = organics[model]
    if (!Array.isArray(entries) || model.length > 200 || ++models > MAX_MODELS) return undefined
    for (const entry of entries.slice(0, MAX_RECORDS - looked)) {
      looked++
      const record = organicRecord.safeParse(entry)
      if (record.success) records.push({ ...record.data, model })
    }
    refused += entries.length
  }
  return { id: id ?? undefined, records, refused: refused - records.length }
}

/** The request behind a record, or undefined when the hub gave neither messages nor prompt. */
export function requestOf(record: OrganicRecord): InferenceRequest | undefined {
  const { request, model, endpoint } = record
  const { seed, temperature, max_tokens: maxTokens, messages, prompt } = request
  const common = { model, seed, temperature, maxTokens }
  if (endpoint === 'CHAT')
    return messages && { ...common, endpoint: 'chat', messages: messages as readonly ChatMessage[] }
  return prompt === undefined ? undefined : { ...common, endpoint: 'completion', prompt }
}

/** The recorded stream read by the same reader as a live one. Its arrival times are lost; the hub's totals stand in. */
export function answerOf(record: OrganicRecord): Answer {
  const endpoint = record.endpoint === 'CHAT' ? 'chat' : 'completion'
  const mostTokens = record.request.max_tokens + DEFAULT_LIMITS.extraEvents
  const tokens: OutputToken[] = []
  let text = ''
  let finishReason: string | undefined
  let lostTokens = false
  let chunks = 0
  let fault: Answer['fault']
  for (const chunk of record.response) {
    const content = readChunk(endpoint, chunk, mostTokens - tokens.length)
    if ('cause' in content) {
      fault = content
      break
    }
    for (const token of content.tokens) tokens.push(token)
    text += content.text
    finishReason = content.finishReason ?? finishReason
    lostTokens ||= content.lostTokens
    if (content.text !== '' || content.tokens.length > 0) chunks++
  }
  const { total_time: totalMs, time_to_first_token: timeToFirstTokenMs } = record
  return {
    tokens,
    text,
    finishReason,
    timing: { timeToFirstTokenMs, timeForAllTokensMs: totalMs - timeToFirstTokenMs, totalMs },
    tokensPerSecond: organicSpeed(record),
    status: 200,
    fault,
    chunks,
    lostTokens,
    burstShare: 0,
  }
}

/** Tokens per second as 4.4.1 counts them: the hub's count, at most what was asked for. */
export function organicSpeed({
  response_tokens: tokens,
  request,
  total_time: totalMs,
}: OrganicRecord): number {
  return Math.min(tokens, request.max_tokens) / (totalMs / 1000)
}
