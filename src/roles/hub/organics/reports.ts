import { z } from 'zod'
import { parseJson } from '../../../kernel/index.js'

/** One verdict in a report. */
export interface ReportEntry {
  readonly hotkey: string
  readonly model: string
  readonly isVerified: boolean
}

const BOUNDS = { depth: 32, values: 2_000_000 }
const MAX_ENTRIES = 10_000

const name = z.string().min(1).max(200)
const modelNames = z.array(name).max(1000)
const scoresBody = z.object({ organics: z.array(z.unknown()).max(MAX_ENTRIES) })
const organicStat = z.object({ hotkey: name, model: name, verified: z.boolean() })
const roundBody = z.object({
  request: z.object({ request: z.object({ model: name }) }),
  responses: z.array(z.unknown()).max(MAX_ENTRIES),
})
const response = z.object({ hotkey: name, stats: z.object({ verified: z.boolean() }) })

/** Body of POST /organics: the models a validator verifies. Undefined for anything else. */
export function readModelNames(body: Buffer): readonly string[] | undefined {
  return modelNames.safeParse(parse(body)).data
}

/** Body of POST /organics/scores. Entries that are not verdicts are skipped. */
export function readOrganicScores(body: Buffer): readonly ReportEntry[] | undefined {
  const read = scoresBody.safeParse(parse(body)).data
  return read?.organics.flatMap((entry) => {
    const stat = organicStat.safeParse(entry).data
    return stat ? [{ hotkey: stat.hotkey, model: stat.model, isVerified: stat.verified }] : []
  })
}

/** Body of POST /: a round of synthetic requests (4.4.1 targon/jugo.py send_stats_to_jugo). */
export function readRoundReport(body: Buffer): readonly ReportEntry[] | undefined {
  const read = roundBody.safeParse(parse(body)).data
  if (!read) return undefined
  const { model } = read.request.request
  return read.responses.flatMap((entry) => {
    const answer = response.safeParse(entry).data
    return answer ? [{ hotkey: answer.hotkey, model, isVerified: answer.stats.verified }] : []
  })
}

function parse(body: Buffer): unknown {
  return parseJson(body.toString('utf8'), BOUNDS)
}
