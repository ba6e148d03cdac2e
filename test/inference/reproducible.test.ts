import { describe, expect, it } from 'vitest'
import { isReproducible, rulesOutCuts } from '../../src/inference/reproducible.js'
import { createRequestPolicy } from '../../src/routing/request-policy.js'

const ask = {
  model: 'org/m',
  max_tokens: 8,
  seed: 1,
  temperature: 1,
  messages: [{ role: 'user', content: 'Hi' }],
}

/** Each member with values that leave an answer as it is, and with one that does not. */
const MEMBERS: [name: string, neutral: readonly unknown[], other?: unknown][] = [
  ['stream', [true, false]],
  ['stream_options', [{ include_usage: true }]],
  ['logprobs', [true, 3]],
  ['top_logprobs', [5]],
  ['max_completion_tokens', [8]],
  ['top_p', [0.5]],
  ['top_k', [-1, 40]],
  ['min_p', [0.1]],
  ['length_penalty', [2]],
  ['include_stop_str_in_output', [true]],
  ['return_token_ids', [true]],
  ['user', ['u']],
  ['parallel_tool_calls', [true]],
  ['verbosity', ['low']],
  ['modalities', [['text']]],
  ['metadata', [{ a: 'b' }]],
  ['store', [true]],
  ['service_tier', ['auto']],
  ['safety_identifier', ['u']],
  ['prompt_cache_key', ['k']],
  ['prompt_cache_retention', ['24h']],
  ['tools', [[]], [{ type: 'function', function: { name: 'f' } }]],
  ['functions', [[]], [{ name: 'f' }]],
  ['tool_choice', ['none'], 'auto'],
  ['function_call', ['none'], 'auto'],
  ['response_format', [{ type: 'text' }], { type: 'json_object' }],
  ['logit_bias', [{}], { 5: 10 }],
  ['bad_words', [[]], ['x']],
  ['presence_penalty', [0], 0.5],
  ['frequency_penalty', [0], 0.5],
  ['repetition_penalty', [1], 1.1],
  ['stop', [[], ''], ['\n']],
  ['stop_token_ids', [[]], [2]],
  ['min_tokens', [0], 4],
  ['ignore_eos', [false], true],
  ['use_beam_search', [false], true],
  ['n', [1], 2],
  ['best_of', [1], 2],
  ['echo', [false], true],
  ['suffix', [''], 'end'],
  ['add_generation_prompt', [true], false],
  ['continue_final_message', [false], true],
  ['include_reasoning', [true], false],
  ['return_tokens_as_token_ids', [true], false],
  ['skip_special_tokens', [true], false],
  ['spaces_between_special_tokens', [true], false],
  ['chat_template_kwargs', [{}], { enable_thinking: false }],
  ['documents', [[]], [{ text: 'x' }]],
  ['reasoning_effort', [], 'high'],
  ['add_special_tokens', [], false],
  ['truncate_prompt_tokens', [], 10],
  ['allowed_token_ids', [], [1, 2]],
  ['chat_template', [], '{{ messages }}'],
  ['structured_outputs', [], { choice: ['a'] }],
  ['guided_json', [], {}],
  ['guided_regex', [], 'a+'],
  ['a_member_of_next_year', [], 1],
]

describe('isReproducible', () => {
  it.each(MEMBERS)('%s', (name, neutral, other) => {
    for (const value of [null, undefined, ...neutral])
      expect(isReproducible({ ...ask, [name]: value }), JSON.stringify(value)).toBe(true)
    if (other !== undefined) expect(isReproducible({ ...ask, [name]: other })).toBe(false)
  })

  it('knows every member that a hub lets through', () => {
    const known = new Set([...Object.keys(ask), 'prompt', ...MEMBERS.map(([name]) => name)])
    const allowed = createRequestPolicy('default')?.allowed ?? []
    expect([...allowed].filter((name) => !known.has(name))).toEqual([])
  })

  it.each([
    ['a text', { prompt: 'Hi' }, true],
    ['several texts', { prompt: ['a', 'b'] }, false],
    ['token ids', { prompt: [1, 2] }, false],
    ['neither', {}, false],
    ['a text that is too long', { prompt: 'a'.repeat(1_000_001) }, false],
    ['roles', { messages: ['system', 'user', 'assistant'].map((role) => ({ role, content: 'x' })) }, true],
    ['another role', { messages: [{ role: 'tool', content: 'x' }] }, false],
    ['parts', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }, false],
    ['no content', { messages: [{ role: 'assistant', content: null }] }, false],
    ['a name', { messages: [{ role: 'user', content: 'x', name: 'Ann' }] }, false],
    ['a name of null', { messages: [{ role: 'user', content: 'x', name: null }] }, true],
    ['something else', { messages: [7] }, false],
    [
      'long messages',
      { messages: Array.from({ length: 3 }, () => ({ role: 'user', content: 'a'.repeat(400_000) })) },
      false,
    ],
  ])('a prompt of %s', (_, request, expected) => {
    expect(isReproducible({ model: 'org/m', ...request })).toBe(expected)
  })
})

describe('rulesOutCuts', () => {
  const whole = { top_p: 1, top_k: -1, min_p: 0, repetition_penalty: 1 }
  it('is true only when the request states every one', () => {
    expect(rulesOutCuts(whole)).toBe(true)
    for (const name of Object.keys(whole))
      expect(rulesOutCuts({ ...whole, [name]: undefined }), name).toBe(false)
    expect(rulesOutCuts({ ...whole, top_p: 0.9 })).toBe(false)
  })
})
