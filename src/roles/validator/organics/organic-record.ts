import { z } from 'zod'
import {
  type Answer,
  type ChatMessage,
  DEFAULT_LIMITS,
  type InferenceRequest,
  MAX_PROMPT,
  type OutputToken,
  readChunk,
  rulesOutCuts,
} from '../../../inference/index.js'
import { isJsonObject, parseJson } from '../../../kernel/index.js'

const MAX_TOTAL_MS = 600_000
/** Records of a bucket that are read, valid or not; the hub sends a hundred. */
const MAX_RECORDS = 1000
/** Models of a bucket; the hub was asked for those of the engines. */
const MAX_MODELS = 1000

/** The hub's times are whole milliseconds; a fraction is truncated, as in 4.4.1. */
const wholeMs = z.number().transform(Math.trunc)

/** Other members stay, because a chat template may read them. */
const message = z.looseObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })

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

/** For a miner that did not answer or disconnected, the hub sends zero times and tokens and a null response. */
const failed = z.object({ ...common, success: z.literal(false) }).transform((record) => ({
  ...record,
  total_time: 0,
  time_to_first_token: 0,
  response_tokens: 0,
  response: [] as unknown[],
}))

/** One request of a user and the answer of a miner, as the hub sends it. Times are in milliseconds (ranges: SECURITY.md T-V15). */
export const organicRecord = z.union([answered, failed])

export type OrganicRecord = z.output<typeof organicRecord> & { readonly model: string }

const bucketShape = z.object({
  bucket_id: z.string().min(1).max(200).nullable(),
  // Read entry by entry: validating a million names as a schema would take minutes.
  organics: z.custom<Readonly<Record<string, unknown>>>(isJsonObject),
})

export interface OrganicBucket {
  readonly id: string | undefined
  readonly records: readonly OrganicRecord[]
  /** Number of invalid records; they do not invalidate the others (4.4.1 lost the bucket). */
  readonly refused: number
}

/** @returns undefined when the text is not a bucket. */
export function readBucket(text: string): OrganicBucket | undefined {
  const parsed = bucketShape.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const { bucket_id: id, organics } = parsed.data
  const records: OrganicRecord[] = []
  let models = 0
  let read = 0
  let refused = 0
  for (const model in organics) {
    const entries = organics[model]
    if (!Array.isArray(entries) || model.length > 200 || ++models > MAX_MODELS) return undefined
    for (const entry of entries.slice(0, MAX_RECORDS - read)) {
      read++
      const record = organicRecord.safeParse(entry)
      if (record.success) records.push({ ...record.data, model })
    }
    refused += entries.length
  }
  return { id: id ?? undefined, records, refused: refused - records.length }
}

/** The request of a record; undefined when the hub sent neither messages nor prompt. */
export function requestOf(record: OrganicRecord): InferenceRequest | undefined {
  const { request, model, endpoint } = record
  const { seed, temperature, max_tokens: maxTokens, messages, prompt } = request
  const common = {
    ...{ model, seed, temperature, maxTokens },
    ...(rulesOutCuts(request) ? {} : { mayBeCut: true as const }),
  }
  if (endpoint === 'CHAT') return messages && { ...common, endpoint: 'chat', messages: messages.map(plainOf) }
  return prompt === undefined ? undefined : { ...common, endpoint: 'completion', prompt }
}

function plainOf({ role, content }: ChatMessage): ChatMessage {
  return { role, content }
}

/** Reads the recorded stream like a live one. Arrival times are not recorded, so the hub's totals are used. */
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

/** Tokens per second as in 4.4.1: by the hub's count of tokens, at most as many as requested. */
export function organicSpeed({
  response_tokens: tokens,
  request,
  total_time: totalMs,
}: OrganicRecord): number {
  return Math.min(tokens, request.max_tokens) / (totalMs / 1000)
}

/** Tokens per second by the tokens that were verified, which are never more than the hub counts or the user requested. */
export function verifiedSpeed(record: OrganicRecord, tokens: number): number {
  return organicSpeed({ ...record, response_tokens: Math.min(record.response_tokens, tokens) })
}
