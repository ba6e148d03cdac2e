import { z } from 'zod'
import { parseJson } from '../../../kernel/index.js'
import { countValues } from './count-values.js'
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

/** Bounds on one row. Validators read buckets of up to 64 MiB and 2,000,000 values. */
const MAX_ROW = { bytes: 8 << 20, values: 400_000 }

/** A row in the form in which validators get it (4.4.1 targon/jugo.py score_organics): JSON in UTF-8, in portions. */
export interface Row {
  readonly portions: readonly Buffer[]
  readonly facts: RowFacts
}

/** @returns undefined when the record is beyond the bounds of a row. */
export function describeRow(record: OrganicRecord, nowMs: number): Row | undefined {
  const { model, hotkey, response } = record
  const answer = response.portions()
  if (answer === undefined) return undefined
  const atMs = Math.min(record.atMs, nowMs)
  const { id, request } = record
  const head = Buffer.from(
    `${JSON.stringify({ id, created_at_ms: atMs, request }).slice(0, -1)},"response":[`,
  )
  const { uid, coldkey, endpoint, success } = record
  const rest = { uid, hotkey, coldkey, endpoint, success, ...timesOf(record), model_name: model }
  const tail = Buffer.from(`],${JSON.stringify(rest).slice(1)}`)
  const frame = countValues(head) + countValues(tail) + 1
  const facts = {
    ...{ atMs, model, hotkey },
    bytes: head.length + tail.length + response.bytes,
    values: frame + response.values,
  }
  if (facts.bytes > MAX_ROW.bytes || facts.values > MAX_ROW.values) return undefined
  return { portions: [head, ...answer, tail], facts }
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
export function readRow(text: Buffer): RowFacts | undefined {
  const row = rowText.safeParse(parseJson(text.toString('utf8')))
  if (!row.success) return undefined
  const { created_at_ms: atMs, model_name: model, hotkey } = row.data
  return { atMs, model, hotkey, bytes: text.length, values: countValues(text) + 1 }
}
