import { z } from 'zod'
import { parseChunkJson } from '../../../inference/index.js'
import { parseJson } from '../../../kernel/index.js'
import type { OrganicRecord } from './types.js'

/** What is known of a kept row without reading its file. */
export interface RowFacts {
  readonly atMs: number
  readonly model: string
  readonly hotkey: string
  /** Of its JSON text in UTF-8. */
  readonly bytes: number
  /** JSON values, which bound what the text costs a validator in memory. */
  readonly values: number
}

/** Bounds on one row. Validators read buckets of up to 64 MiB and 2,000,000 values, and up to 100,000 chunks of an answer. */
const MAX_ROW = { bytes: 8 << 20, values: 400_000, chunks: 100_000 }

/**
 * A record in the form in which validators get it (4.4.1 targon/jugo.py score_organics). Chunks contain only what validators
 * read, so that a miner cannot fill a bucket with members of its own.
 *
 * @returns undefined when it is beyond the bounds of a row.
 */
export function describeRow(
  record: OrganicRecord,
  nowMs: number,
): { text: string; facts: RowFacts } | undefined {
  if (record.response.length > MAX_ROW.chunks) return undefined
  const { atMs, model, hotkey } = { ...record, atMs: Math.min(record.atMs, nowMs) }
  const text = JSON.stringify({
    id: record.id,
    created_at_ms: atMs,
    request: record.request,
    response: record.response.map(slimChunk),
    uid: record.uid,
    hotkey,
    coldkey: record.coldkey,
    endpoint: record.endpoint,
    success: record.success,
    ...timesOf(record),
    model_name: model,
  })
  const facts = { atMs, model, hotkey, ...measure(text) }
  return facts.bytes <= MAX_ROW.bytes && facts.values <= MAX_ROW.values ? { text, facts } : undefined
}

/** The members that a checker of answers reads (inference/chunk-json.ts). */
function slimChunk(chunk: unknown): unknown {
  return parseChunkJson(JSON.stringify(chunk) ?? 'null')
}

/** Whole milliseconds. Validators divide by the total, so an answer takes at least one; a failed request has zeros. */
function timesOf({ success, totalMs, firstTokenMs, tokens }: OrganicRecord) {
  const total = success ? Math.max(1, Math.round(totalMs)) : 0
  const first = Math.max(0, Math.min(total, Math.round(firstTokenMs)))
  return { total_time: total, time_to_first_token: first, response_tokens: success ? tokens : 0 }
}

const rowText = z.object({
  created_at_ms: z.number().int(),
  model_name: z.string(),
  hotkey: z.string(),
})

/** The facts of a row that an earlier process wrote; undefined for anything else. */
export function readRow(text: string): RowFacts | undefined {
  const row = rowText.safeParse(parseJson(text))
  if (!row.success) return undefined
  const { created_at_ms: atMs, model_name: model, hotkey } = row.data
  return { atMs, model, hotkey, ...measure(text) }
}

const [COMMA, OPEN_LIST, OPEN_OBJECT] = [0x2c, 0x5b, 0x7b]

/** Counts every bracket and comma as a value, also those inside strings: at least as many values as a reader counts. */
function measure(text: string): Pick<RowFacts, 'bytes' | 'values'> {
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === COMMA || code === OPEN_LIST || code === OPEN_OBJECT) values++
  }
  return { bytes: Buffer.byteLength(text), values }
}
