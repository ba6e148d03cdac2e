import { describe, expect, it } from 'vitest'
import { askRepeatedly } from '../../../src/verification/index.js'
import { judgeTargon4, type Targon4Request } from '../../../src/verification/targon-4/index.js'

const request: Targon4Request = {
  servedModel: 'org/m',
  model: 'org/m',
  hasPrompt: true,
  temperature: 0.5,
  maxTokens: 5,
  tokens: Array.from({ length: 5 }, (_, id) => ({ id, logprob: -0.1 })),
}

async function judge(change: Partial<Targon4Request>) {
  const called: string[] = []
  const verdict = await judgeTargon4(
    { ...request, ...change },
    {
      logprobs: () => {
        called.push('logprobs')
        return { kind: 'verified' }
      },
      random: () => {
        called.push('random')
        return { verified: true, failedIndex: undefined }
      },
    },
  )
  return [verdict.kind, ...(verdict.kind === 'failed' ? [verdict.cause] : []), ...called]
}

describe('judgeTargon4', () => {
  it.each<[string, Partial<Targon4Request>, string[]]>([
    ['an honest answer', {}, ['verified', 'logprobs', 'random']],
    [
      'a request without model, which means the served one',
      { model: undefined },
      ['verified', 'logprobs', 'random'],
    ],
    [
      'a request without temperature, which means 0',
      { temperature: undefined },
      ['verified', 'logprobs', 'random'],
    ],
    ['max_tokens 0, which means no limit', { maxTokens: 0 }, ['verified', 'logprobs', 'random']],
    ['a request without max_tokens, which is malformed', { maxTokens: undefined }, ['inconclusive']],
    [
      'a request without max_tokens and a short answer',
      { maxTokens: undefined, tokens: [] },
      ['inconclusive'],
    ],
    ['a request without prompt', { hasPrompt: false }, ['inconclusive']],
    ['a short answer to a request without prompt', { hasPrompt: false, tokens: [] }, ['failed', 'TOO_SHORT']],
    ['another model', { model: 'org/other' }, ['inconclusive']],
  ])('decides as 4.4.1 on %s', async (_, change, expected) => expect(await judge(change)).toEqual(expected))
})

describe('askRepeatedly', () => {
  it.each([
    [0, 1],
    [4, 5],
    [5, 5],
    [9, 5],
  ])('asks an engine that gives no answer %d times, %d times in all', async (empty, attempts) => {
    let asked = 0
    const answer = await askRepeatedly(async () => (++asked > empty ? 'reference' : undefined))
    expect([answer, asked]).toEqual([empty < 5 ? 'reference' : undefined, attempts])
  })
})
