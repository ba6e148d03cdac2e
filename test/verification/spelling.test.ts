import { describe, expect, it } from 'vitest'
import type { ModelFacts, ReferenceEngine } from '../../src/engine/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { checkSpelling } from '../../src/verification/spelling.js'
import type { ReadyVerification } from '../../src/verification/verification-request.js'
import { FACTS } from '../support/answer-comparison.js'

/** A vocabulary of characters and of these tokens. */
const TOKENS = new Map([
  [2, '</s>'],
  [3, '<|eot_id|>'],
  [4, '<|python_tag|>'],
  [5, '<think>'],
  [6, '</think>'],
  [7, '<pad>'],
  [8, '<tool_call>'],
])
const CHARACTERS = 1_000

function encode(text: string): number[] {
  const ids: number[] = []
  for (let rest = text; rest !== ''; ) {
    const token = [...TOKENS].find(([, one]) => rest.startsWith(one))
    ids.push(token ? token[0] : CHARACTERS + rest.charCodeAt(0))
    rest = rest.slice(token ? token[1].length : 1)
  }
  return ids
}

const decode = (ids: readonly number[]) =>
  ids.map((id) => TOKENS.get(id) ?? String.fromCharCode(id - CHARACTERS)).join('')

/** The cause for an answer of these ids that streams this text; `lastText` is that of its last token. */
async function judge(written: string, streamed: string, change: Partial<ModelFacts> = {}, lastText = 'x') {
  const ids = encode(written)
  const engine = {
    detokenize: async (some: readonly number[]) => decode(some),
    tokenizeText: async (text: string) => encode(text),
  } as unknown as ReferenceEngine
  const tokens = ids.map((tokenId, index) => ({
    ...{ tokenId, logprob: -1 },
    text: index === ids.length - 1 ? lastText : 'x',
  }))
  const verification = {
    ...{ engine, facts: { ...FACTS, ...change }, clock: systemClock, signal: new AbortController().signal },
    answer: { tokens, text: streamed },
  } as unknown as ReadyVerification
  return (await checkSpelling(verification, ids))?.cause ?? 'spelled'
}

const LISTED = { specialTokenIds: new Set([2, 3, 4, 7]) }

describe.each([
  ['the model’s files list its special tokens', LISTED],
  ['they list none', {}],
])('when %s', (_, facts) => {
  it.each([
    ['ids and text that agree', 'The answer.', 'The answer.'],
    ['a special token that was not streamed', 'The <|python_tag|>answer.', 'The answer.'],
    ['two of them', 'The answer.<|python_tag|><|eot_id|>', 'The answer.'],
    ['a special token that was streamed', 'The <|python_tag|>answer.', 'The <|python_tag|>answer.'],
    ['text that looks like a special token', 'Write <|user|> here.', 'Write <|user|> here.'],
    ['reasoning without its tags', '<think>Hm.</think>The answer.', 'Hm.The answer.'],
    ['reasoning whose start is part of the prompt', 'Hm.</think>The answer.', 'Hm.The answer.'],
    [
      'reasoning with its tags, and a special token that was not streamed',
      '<think>Hm.</think>The <|python_tag|>answer.',
      '<think>Hm.</think>The answer.',
    ],
    ['reasoning with its tags', '<think>Hm.</think>The answer.', '<think>Hm.</think>The answer.'],
  ])('accepts %s', async (_, written, streamed) =>
    expect(await judge(written, streamed, facts)).toBe('spelled'),
  )

  it.each([
    ['a control token inserted into the text', 'The answer.', 'The <|system|>answer.'],
    ['a real special token inserted into the text', 'The answer.', 'The <|eot_id|>answer.'],
    [
      'a control token inserted next to one of the answer',
      'The <|python_tag|>answer.',
      'The <|system|>answer.',
    ],
    ['reasoning tags inserted into the text', 'The answer.', '<think>The answer.</think>'],
    ['text like a special token that is missing', 'Write <|user|> here.', 'Write  here.'],
    ['a token that is not special and is missing', '<tool_call>f', 'f'],
    ['other reasoning', '<think>Hm.</think>The answer.', 'Oh.The answer.'],
    ['a special token streamed once of twice', '<|python_tag|>a<|python_tag|>b', '<|python_tag|>ab'],
  ])('fails %s', async (_, written, streamed) =>
    expect(await judge(written, streamed, facts)).toBe('TOKEN_TEXT_MISMATCH'),
  )

  it('accepts an end token without text, written in any way', async () => {
    expect(await judge('The answer.</s>', 'The answer.', facts, '')).toBe('spelled')
    expect(await judge('The answer.</s>', 'The answer.</s>', facts, '</s>')).toBe('spelled')
  })
})

it('accepts the tokenizer’s end token without text when the model’s files list another', async () => {
  const facts = { eosTokenIds: [2], endOfTurnId: undefined, tokenizerEosId: 7 }
  expect(
    await judge('The answer.<pad>', 'The answer.', { ...facts, specialTokenIds: new Set([2]) }, ''),
  ).toBe('spelled')
})

it('leaves out special tokens of any form that the model’s files list', async () => {
  expect(await judge('The <pad>answer.', 'The answer.', LISTED)).toBe('spelled')
})
