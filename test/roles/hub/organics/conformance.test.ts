import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Answer } from '../../../../src/inference/index.js'
import { readOrganicScores, readRoundReport } from '../../../../src/roles/hub/organics/reports.js'
import { describeRow } from '../../../../src/roles/hub/organics/row.js'
import { answerOf, readBucket } from '../../../../src/roles/validator/organics/organic-record.js'
import { organicRecordOf } from '../../../support/organic-records.js'

/** Conformance data: records and reports as the hub of 4.4.1 and its validators exchanged them. */
const folder = join(process.env.TARGON_CONFORMANCE_DIR ?? '', 'vectors')

// biome-ignore lint/suspicious/noExplicitAny: cases are foreign data of many shapes
function casesOf(name: string): any[] {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')).cases
}

/** A token counts only with its id and its log probability; rows leave out one without the other, which can cost 4.4.1 the whole bucket. */
function withoutUnusableLogprobs(answer: Answer): Answer {
  const tokens = answer.tokens.map((token) =>
    token.tokenId === undefined || token.logprob === undefined
      ? { ...token, tokenId: undefined, logprob: undefined }
      : token,
  )
  return { ...answer, tokens }
}

test.skipIf(!existsSync(join(folder, 'organics.json')))(
  'a validator reads the same answers from our rows as from those of the original hub',
  () => {
    let compared = 0
    for (const { response } of casesOf('organics.json')) {
      const bucket = readBucket(JSON.stringify(response))
      for (const record of bucket?.records ?? []) {
        const row = describeRow(
          organicRecordOf({
            ...{ model: record.model, request: record.request, response: record.response },
            ...{ uid: record.uid, hotkey: record.hotkey, coldkey: record.coldkey, endpoint: record.endpoint },
            ...{
              success: record.success,
              totalMs: record.total_time,
              firstTokenMs: record.time_to_first_token,
            },
            tokens: record.response_tokens,
          }),
          Date.now(),
        )
        const model = JSON.stringify(record.model)
        const ours = readBucket(
          `{"bucket_id":"b","organics":{${model}:[${Buffer.concat(row?.portions ?? [])}]}}`,
        )
        const [read] = ours?.records ?? []
        expect(read).toMatchObject({ uid: record.uid, endpoint: record.endpoint, request: record.request })
        const original = answerOf(record)
        // the gateway ends an answer at a malformed chunk and keeps none of it
        if (original.fault !== undefined) continue
        expect(read && withoutUnusableLogprobs(answerOf(read))).toEqual(withoutUnusableLogprobs(original))
        compared++
      }
    }
    expect(compared).toBeGreaterThan(100)
  },
)

test.skipIf(!existsSync(join(folder, 'jugo_bodies.json')))(
  'every verdict in the reports of the original validator is read',
  () => {
    for (const { fn, expected } of casesOf('jugo_bodies.json')) {
      const body = Buffer.from(JSON.stringify(expected.json))
      const read = fn === 'send_organics' ? readOrganicScores(body) : readRoundReport(body)
      const verdicts =
        fn === 'send_organics'
          ? expected.json.organics
          : expected.json.responses.filter(({ stats }: { stats: unknown }) => stats !== null)
      expect(read).toHaveLength(verdicts.length)
    }
  },
)
