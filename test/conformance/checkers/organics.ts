import { readChunk } from '../../../src/inference/index.js'
import {
  answerOf,
  type OrganicRecord,
  organicRecord,
  readBucket,
} from '../../../src/roles/validator/organics/organic-record.js'
import { type OrganicStat, scoreOrganic } from '../../../src/roles/validator/organics/organic-score.js'
import type { Verdict } from '../../../src/verification/index.js'
import { type Case, type Checker, type Finding, sameJson } from '../checker.js'

/** Scoring of users' requests from the hub. */
export const checker: Checker = {
  vectors: 'organics',
  rules: {
    'record-by-record':
      'One malformed record made the original drop or misread the whole bucket; ours rejects that record alone and scores the rest.',
    'no-verdict':
      'An internal error of the verifier is not a verdict: it changes no score and is not reported.',
  },
  check: async (testCase) => {
    if (testCase.http_status !== 200) return agreeOn(testCase.expected.scores, null)
    const bucket = readBucket(JSON.stringify(testCase.response))
    if (!bucket) return agreeOn(testCase.expected.result, null)
    // Without an id, or with that of the last bucket, there is nothing new.
    const isKnown = bucket.id === undefined || bucket.id === testCase.last_bucket_id
    if (isKnown) return agreeOn(testCase.expected.scores, null)
    const scored = await Promise.all(
      bucket.records.map((record) => scoreOrganic(record, judgeFrom(testCase))),
    )
    const scores: Record<string, number[]> = {}
    const stats: OrganicStat[] = []
    for (const { record, result, stat } of scored) {
      scores[record.uid] ??= []
      // a failed verification is a miss in ours and missing from the original's list
      if (typeof result === 'number') scores[record.uid]?.push(result)
      if (stat) stats.push(stat)
    }
    const odd = oddUids(testCase)
    const found = compareScores(testCase, scores, stats)
    if (found.agrees) return found
    if (odd.size > 0 && (testCase.expected.result === null || restAgrees(testCase, scores, odd)))
      return { agrees: false, explainedBy: 'record-by-record' }
    if (Object.values(testCase.verdicts).some(isNoVerdict))
      return { agrees: false, explainedBy: 'no-verdict' }
    return found
  },
}

function agreeOn(expected: unknown, actual: unknown): Finding {
  return sameJson(actual, expected)
    ? { agrees: true }
    : { agrees: false, detail: `ours scores nothing, expected ${JSON.stringify(expected)?.slice(0, 300)}` }
}

function compareScores({ expected }: Case, scores: Record<string, number[]>, stats: OrganicStat[]): Finding {
  const order = (list: readonly OrganicStat[]) => list.map(({ error: _, ...stat }) => stat)
  const same = sameJson(scores, expected.scores) && sameJson(order(stats), order(expected.stats ?? []))
  return same
    ? { agrees: true }
    : { agrees: false, detail: `got ${JSON.stringify(scores)}, expected ${JSON.stringify(expected.scores)}` }
}

function restAgrees({ expected }: Case, scores: Record<string, number[]>, odd: ReadonlySet<number>): boolean {
  const rest = (all: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(all).filter(([uid]) => !odd.has(Number(uid))))
  return sameJson(rest(scores), rest(expected.scores ?? {}))
}

function judgeFrom({ ports, verdicts }: Case) {
  return async (record: OrganicRecord): Promise<Verdict | undefined> => {
    const verdict = verdicts[String(record.request._k)]
    // As Python reads it: a port of 0 is none.
    if (!ports[record.model]?.port) return undefined
    if (isNoVerdict(verdict)) return { kind: 'inconclusive', reason: 'no-verdict', detail: '' }
    return verdict.verified
      ? { kind: 'verified' }
      : { kind: 'failed', cause: verdict.cause, detail: verdict.error }
  }
}

function isNoVerdict(verdict: unknown): boolean {
  return typeof verdict !== 'object' || verdict === null || !('verified' in verdict)
}

/** Uids with a record that ours rejects, or with a chunk that is not exactly one token with text and id. */
function oddUids({ response }: Case): ReadonlySet<number> {
  const records: Case[] = Object.values(response.organics ?? {}).flat()
  const odd = records.filter((record) => {
    const parsed = organicRecord.safeParse(record)
    if (!parsed.success) return true
    return (
      parsed.data.response.some((chunk) => isOddChunk(parsed.data.endpoint, chunk)) ||
      answerOf({ ...parsed.data, model: '' }).fault
    )
  })
  return new Set(odd.map(({ uid }) => uid))
}

function isOddChunk(endpoint: 'CHAT' | 'COMPLETION', chunk: unknown): boolean {
  const content = readChunk(endpoint === 'CHAT' ? 'chat' : 'completion', chunk, Number.POSITIVE_INFINITY)
  if ('cause' in content || content.text === '' || content.tokens.length !== 1) return true
  const [token] = content.tokens
  return token?.tokenId === undefined || token.logprob === undefined
}
