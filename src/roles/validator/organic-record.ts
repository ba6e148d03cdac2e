import { z } from 'zod'
import {
  type Answer,
  type ChatMessage,
  DEFAULT_LIMITS,
  type InferenceRequest,
  type OutputToken,
  readChunk,
} from '../../inference/index.js'

const MAX_TOTAL_MS = 600_000
const MAX_RECORDS = 1000

/** The hub's times are whole milliseconds; a fraction is cut off, as in 4.4.1. */
const wholeMs = z.number().transform(Math.trunc)

const message = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })

/** One request of a user that a miner answered, as the hub hands it out. Times are milliseconds (ranges: SECURITY.md T-V15). */
export const organicRecord = z.object({
  uid: z.number().int().min(0).max(65535),
  hotkey: z.string().min(1).max(64),
  coldkey: z.string().min(1).max(64),
  endpoint: z.enum(['CHAT', 'COMPLETION']),
  success: z.boolean(),
  total_time: wholeMs.pipe(z.number().gt(0).lt(MAX_TOTAL_MS)),
  time_to_first_token: wholeMs.pipe(z.number().min(0).lt(MAX_TOTAL_MS)),
  response_tokens: z.number().int().min(1),
  request: z.looseObject({
    max_tokens: z.number().int().min(1).max(1_000_000),
    seed: z.number().int(),
    temperature: z.number().min(0).max(10),
    messages: z.array(message).optional(),
    prompt: z.string().optional(),
  }),
  response: z.array(z.unknown()).max(100_000),
})

export type OrganicRecord = z.output<typeof organicRecord> & { readonly model: string }

const bucketShape = z.object({
  bucket_id: z.string().min(1).max(200).nullable(),
  organics: z.record(z.string().max(200), z.array(z.unknown())),
})

export interface OrganicBucket {
  readonly id: string | undefined
  readonly records: readonly OrganicRecord[]
  /** Records that were no records: they never drop the rest (4.4.1 lost the bucket). */
  readonly refused: number
}

/** @returns undefined when the answer is no bucket at all. */
export function readBucket(text: string): OrganicBucket | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = bucketShape.safeParse(value)
  if (!parsed.success) return undefined
  const records: OrganicRecord[] = []
  let refused = 0
  for (const [model, entries] of Object.entries(parsed.data.organics)) {
    for (const entry of entries) {
      const record = organicRecord.safeParse(entry)
      if (record.success && records.length < MAX_RECORDS) records.push({ ...record.data, model })
      else refused++
    }
  }
  return { id: parsed.data.bucket_id ?? undefined, records, refused }
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
