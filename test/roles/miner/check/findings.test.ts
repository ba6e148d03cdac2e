import { describe, expect, it } from 'vitest'
import type { Observation, Standing } from '../../../../src/evidence/index.js'
import type { Answer, InferenceRequest } from '../../../../src/inference/index.js'
import { firstTokenFinding } from '../../../../src/roles/miner/check/answer-findings.js'
import { evidenceFinding, seedFinding } from '../../../../src/roles/miner/check/evidence-findings.js'
import { writeCheck } from '../../../../src/roles/miner/check/report.js'
import type { Sample } from '../../../../src/roles/miner/check/samples.js'
import { movedTextFinding, verdictFindings } from '../../../../src/roles/miner/check/verdict-findings.js'
import type { Weighed } from '../../../../src/roles/miner/check/weigh.js'
import type { Verdict } from '../../../../src/verification/index.js'

const VERIFIED: Verdict = { kind: 'verified' }

function sample(verdict: Verdict, endpoint: 'chat' | 'completion' = 'chat', firstMs = 10): Sample {
  const common = { model: 'm', temperature: 0.5, maxTokens: 10 }
  const request: InferenceRequest =
    endpoint === 'chat' ? { ...common, endpoint, messages: [] } : { ...common, endpoint, prompt: 'x' }
  const answer: Answer = {
    ...{ tokens: [], text: '', finishReason: 'stop', tokensPerSecond: 1, status: 200, fault: undefined },
    ...{ chunks: 0, lostTokens: false, burstShare: 0 },
    timing: { timeToFirstTokenMs: firstMs, timeForAllTokensMs: 1, totalMs: firstMs + 1 },
  }
  return { request, answer, verdict, compared: undefined }
}

const failed = (cause: 'TOKEN_TEXT_MISMATCH' | 'TIMEOUT', detail = 'why'): Verdict => ({
  ...{ kind: 'failed', cause, detail },
})

function weighed({
  level = 'clean',
  enforced = 0,
  residual = 0,
  mismatches = 0,
  logitScale = 0,
  synchronies = [],
}: {
  level?: Standing['level']
  enforced?: number
  residual?: number
  mismatches?: number
  logitScale?: number
  synchronies?: readonly Observation['synchrony'][]
}): Weighed {
  return {
    standing: {
      ...{ level, suspicion: enforced, enforced, leading: undefined, statistics: {}, dialect: undefined },
      ...{
        synchronised: 0,
        unsynchronised: 0,
        unknown: 0,
        answers: 8,
        relayed: 0,
        tokens: 900,
        since: 0,
        bar: undefined,
      },
      sentence: 'They differ.',
    },
    noise: {
      ...{ logitScale, residual, unexplained: 0, answers: 8, drawn: 900, mismatches, stated: 900 },
    },
    observations: synchronies.map((synchrony) => ({ tokens: 1, synchrony, statistics: {} })),
  }
}

describe('findings of verdicts', () => {
  it('name each cause once, with its first example and its fix', () => {
    const samples = [
      sample(failed('TIMEOUT', 'first')),
      sample(failed('TIMEOUT', 'second')),
      sample(VERIFIED),
      sample({ kind: 'inconclusive', reason: 'engine-answer', detail: 'no prompt_logprobs' }),
    ]
    expect(verdictFindings(samples, { movedText: 'nowhere' })).toMatchObject([
      {
        code: 'answer-failed',
        cause: 'TIMEOUT',
        seen: '2 of 4 answers fail with TIMEOUT: first',
        fix: expect.stringContaining('--max-num-seqs'),
      },
      { code: 'not-judged', weight: 'fails', seen: expect.stringContaining('no prompt_logprobs') },
    ])
  })

  it('put a text that a parser took away down to the parser alone', () => {
    const samples = [sample(failed('TOKEN_TEXT_MISMATCH')), sample(VERIFIED, 'completion')]
    expect(verdictFindings(samples, { movedText: 'tool_calls' })).toEqual([])
    expect(movedTextFinding(samples, { movedText: 'tool_calls' })).toMatchObject([
      { code: 'chat-text-moved', weight: 'fails', fix: expect.stringContaining('--tool-call-parser') },
    ])
    expect(movedTextFinding([sample(VERIFIED)], { movedText: 'reasoning' })).toMatchObject([
      { weight: 'warns', fix: expect.stringContaining('--reasoning-parser') },
    ])
    expect(verdictFindings(samples, { movedText: 'nowhere' })).toHaveLength(1)
    expect(
      verdictFindings([sample(failed('TOKEN_TEXT_MISMATCH'), 'completion')], { movedText: 'reasoning' }),
    ).toHaveLength(1)
  })
})

describe('findings of evidence', () => {
  it.each<[string, Parameters<typeof weighed>[0], string[]]>([
    ['nothing of a clean server', {}, []],
    ['one failure of a barred server, however noisy', { level: 'barred', residual: 1 }, ['fails evidence']],
    ['a warning of growing evidence', { enforced: 2.5, residual: 1 }, ['warns evidence']],
    ['a warning of stated values that are far off', { residual: 0.06 }, ['warns noise']],
    ['a warning of many flipped tokens', { mismatches: 9, logitScale: 0.2 }, ['warns noise']],
    ['nothing of a single flipped token', { mismatches: 1, logitScale: 0.2 }, []],
  ])('are %s', (_, given, expected) => {
    const findings = evidenceFinding(weighed(given), true)
    expect(findings.map(({ weight, code }) => `${weight} ${code}`)).toEqual(expected)
  })

  it('differ in their fix by what the server was compared with', () => {
    const [own] = evidenceFinding(weighed({ level: 'barred' }), true)
    const [other] = evidenceFinding(weighed({ level: 'barred' }), false)
    expect(own?.fix).toContain('--kv-cache-dtype')
    expect(other?.fix).toContain('own weights')
  })

  it('note a server whose draws follow no seed, but not one whose answers are too short to tell', () => {
    expect(seedFinding(weighed({ synchronies: ['no', 'no', 'unknown'] }))).toMatchObject([
      { code: 'seed-not-followed', weight: 'notes', fix: expect.stringContaining('murmur3') },
    ])
    expect(seedFinding(weighed({ synchronies: ['unknown', 'inapplicable'] }))).toEqual([])
    expect(seedFinding(weighed({ synchronies: ['yes', 'no', 'yes'] }))).toEqual([])
  })
})

it('a late first token is a finding at half of the time that validators wait', () => {
  expect(firstTokenFinding([sample(VERIFIED, 'chat', 7000)])).toMatchObject([{ code: 'first-token-late' }])
  expect(firstTokenFinding([sample(VERIFIED, 'chat', 5000)])).toEqual([])
  expect(firstTokenFinding([])).toEqual([])
})

it('the report has one line per finding, with its fix, and the conclusion', () => {
  const finding = { code: 'chunks-merged', weight: 'warns', seen: 'Seen.', fix: 'Mend it.' } as const
  const model = {
    ...{ model: 'org/m', comparedWith: null, answers: { verified: 3, failed: 1, notJudged: 0 }, tokens: 500 },
    ...{ firstTokenMs: 38.4, tokensPerSecond: 91.44, dialect: 'murmur3', residual: 0.0041, evidence: null },
    findings: [finding],
  }
  const servers = [
    { server: 'http://a/v1', findings: [], models: [model] },
    {
      server: 'http://b/v1',
      findings: [{ code: 'server-down', weight: 'fails', seen: 'Down.' } as const],
      models: [],
    },
  ]
  const table = (rows: readonly (readonly string[])[]) => rows.map((row) => row.join('|')).join('\n')
  expect(writeCheck({ verified: false, servers }, table)).toBe(
    [
      'http://a/v1  org/m: 3 of 4 answers verified (500 tokens), compared with itself, first token after 38 ms, 91.4 tokens/s, sampler murmur3, noise 0.0041 nats',
      'warn|chunks-merged|Seen. Fix: Mend it.',
      '',
      'http://b/v1',
      'FAIL|server-down|Down.',
      '',
      'A validator would not verify everything: see FAIL.',
    ].join('\n'),
  )
})
