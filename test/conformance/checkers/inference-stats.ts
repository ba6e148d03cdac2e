import { readTargon4 } from '../../../src/inference/index.js'
import { type Case, type Checker, closeTo, sameJson } from '../checker.js'

/** Carries more than one token. */
function isMerged([, chunk]: readonly [number, Case]): boolean {
  const logprobs = chunk?.choices?.[0]?.logprobs
  return logprobs?.content?.length > 1 || logprobs?.tokens?.length > 1
}

/** 4.4.1 handle_inference: tokens, times, speed and BAD_STREAM from timed chunks. */
export const checker: Checker = {
  vectors: 'inference_stats',
  rules: {
    'all-tokens':
      'All tokens of a chunk count. 4.4.1 reads the first, and so fails honest engines, which merge tokens when they lag.',
  },
  check(testCase, file) {
    const { expected } = testCase
    const reading = readTargon4({
      tokenLimit: Number.POSITIVE_INFINITY,
      endpoint: testCase.endpoint === 'CHAT' ? 'chat' : 'completion',
      maxTokens: testCase.request.max_tokens,
      startSeconds: testCase.start_at,
      chunks: testCase.chunks,
      endSeconds: testCase.end_at,
      brokeOff: testCase.stream_error !== undefined || testCase.connect_error !== undefined,
    })
    const tolerance = file.numeric_tolerance
    const problems: string[] = []
    const compare = (name: string, ours: number, theirs: number) => {
      if (!closeTo(ours, theirs, tolerance)) problems.push(`${name} ${ours} ≠ ${theirs}`)
    }
    compare('first', reading.timing.timeToFirstTokenMs / 1000, expected.time_to_first_token)
    compare('all', reading.timing.timeForAllTokensMs / 1000, expected.time_for_all_tokens)
    compare('total', reading.timing.totalMs / 1000, expected.total_time)
    compare('tps', reading.tokensPerSecond, expected.tps)
    const cause = reading.fault === undefined ? null : 'BAD_STREAM'
    if (cause !== expected.cause) problems.push(`cause ${reading.fault}`)
    if ((reading.fault === 'Likely non-streamed response') !== (expected.non_streamed ?? false)) {
      problems.push(`non_streamed ${reading.fault}`)
    }
    const tokens = reading.tokens.map(({ text, tokenId, logprob }) => ({ text, token_id: tokenId, logprob }))
    if (!sameJson(tokens, expected.tokens, tolerance))
      problems.push(`tokens ${JSON.stringify(tokens.slice(0, 5))}`)
    if (problems.length === 0) return { agrees: true }
    const detail = problems.join('; ')
    return testCase.chunks.some(isMerged)
      ? { agrees: false, explainedBy: 'all-tokens', detail }
      : { agrees: false, detail }
  },
}
