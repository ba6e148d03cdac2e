import { type CheckResult, judgeTargon4, type MembershipResult } from '../../../src/verification/index.js'
import type { Case, Checker } from '../checker.js'

interface WireToken {
  token_id?: number | null
  logprob?: number | null
}

const isSent = (value: unknown) => value !== undefined && value !== null

async function judge(testCase: Case) {
  const { request, inner, server_model } = testCase
  const called = { logprobs: false, random: false }
  const verdict = await judgeTargon4(
    {
      servedModel: server_model,
      model: request.model ?? undefined,
      hasPrompt: isSent(
        request.request_type === 'COMPLETION'
          ? request.request_params.prompt
          : request.request_params.messages,
      ),
      temperature: request.request_params.temperature,
      maxTokens: request.request_params.max_tokens ?? undefined,
      tokens: request.output_sequence.map((token: WireToken) => ({
        id: token.token_id ?? undefined,
        logprob: token.logprob ?? undefined,
      })),
    },
    {
      logprobs: (): CheckResult => {
        called.logprobs = true
        if (inner.logprobs === null || inner.logprobs === 'raises') return { kind: 'no-verdict', detail: '' }
        return inner.logprobs.verified
          ? { kind: 'verified' }
          : { kind: 'failed', cause: inner.logprobs.cause, detail: '' }
      },
      random: (): MembershipResult => {
        called.random = true
        if (inner.random === 'raises' || inner.random === null) throw new Error('no verdict')
        return { verified: inner.random.verified, failedIndex: undefined }
      },
    },
  ).catch(() => ({ kind: 'inconclusive' as const }))
  const verified = verdict.kind === 'inconclusive' ? undefined : verdict.kind === 'verified'
  return { verified, cause: verdict.kind === 'failed' ? verdict.cause : undefined, called }
}

export const checker: Checker = {
  vectors: 'verify_request',
  rules: {
    'ids-not-text':
      'Input ids come from /tokenize of the engine, so a tokenizer without a start text does no harm.',
  },
  async check(testCase) {
    const { expected, tokenizer } = testCase
    const actual = await judge(testCase)
    const wanted = {
      verified: expected.body?.verified ?? undefined,
      cause: expected.body?.verified === false ? expected.body.cause : undefined,
      called: expected.called,
    }
    if (JSON.stringify(actual) === JSON.stringify(wanted)) return { agrees: true }
    const detail = `${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`
    return expected.raises && tokenizer?.bos_token === null && !expected.called.logprobs
      ? { agrees: false, explainedBy: 'ids-not-text', detail }
      : { agrees: false, detail }
  },
}
