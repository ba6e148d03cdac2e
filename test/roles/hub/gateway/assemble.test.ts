import { describe, expect, it } from 'vitest'
import { createAssembly } from '../../../../src/roles/hub/gateway/assemble.js'

const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }

function assemble(
  chunks: readonly unknown[],
  wantsLogprobs = false,
  endpoint: 'chat' | 'completion' = 'chat',
) {
  const assembly = createAssembly(endpoint, wantsLogprobs)
  for (const chunk of chunks) assembly.add(typeof chunk === 'string' ? chunk : JSON.stringify(chunk))
  return JSON.parse([...assembly.portions(usage)].join(''))
}

const delta = (content: unknown, rest: object = {}) => ({ choices: [{ index: 0, delta: content, ...rest }] })

describe('an assembled chat', () => {
  it('joins texts in every member of the delta, and keeps what the chunks say of the whole', () => {
    const head = { id: 'c', created: 5, model: 'm', object: 'chat.completion.chunk', system_fingerprint: 'f' }
    const whole = assemble([
      { ...head, ...delta({ role: 'assistant', content: '' }) },
      delta({ reasoning_content: 'be' }),
      delta({ reasoning_content: 'cause' }),
      delta({ content: 'yes', refusal: null }),
      delta({ content: ' no' }, { finish_reason: 'stop', stop_reason: 7 }),
    ])
    expect(whole).toEqual({
      ...{ id: 'c', created: 5, model: 'm', object: 'chat.completion', system_fingerprint: 'f' },
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'yes no', reasoning_content: 'because' },
          logprobs: null,
          ...{ finish_reason: 'stop', stop_reason: 7 },
        },
      ],
      usage,
    })
  })

  it('joins the arguments of calls by their index', () => {
    const call = (index: number, called: object, rest: object = {}) =>
      delta({ tool_calls: [{ index, ...rest, function: called }] })
    const whole = assemble([
      call(0, { name: 'f', arguments: '' }, { id: 'a', type: 'function' }),
      call(0, { arguments: '{"x":' }),
      call(1, { name: 'g', arguments: '{}' }, { id: 'b', type: 'function' }),
      call(0, { arguments: '1}' }),
      call(-1, { arguments: 'x' }),
      call(1e9, { arguments: 'x' }),
      delta({}, { finish_reason: 'tool_calls' }),
    ])
    expect(whole.choices).toMatchObject([
      {
        finish_reason: 'tool_calls',
        message: {
          content: null,
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
            { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
          ],
        },
      },
    ])
  })

  it('has of a call only what the API has', () => {
    const invented = Array.from({ length: 1000 }, (_, n) => ({ index: 0, [`k${n}`]: 1, ['__proto__']: 1 }))
    const whole = assemble([
      delta({ tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{' } }] }),
      delta({ tool_calls: invented }),
      delta({ tool_calls: [{ index: 0, id: null, function: { name: '', arguments: '}', x: 1 } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: { not: 'text' } } }] }),
    ])
    const called = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
    expect(whole.choices[0].message.tool_calls).toEqual([called])
  })

  it('does not grow with the names that a miner invents', () => {
    const withNames = (count: number) => {
      const chunks = Array.from({ length: count }, (_, n) => {
        const name = `k${String(n).padStart(6, '0')}`
        const named = { [name]: 1 }
        return { ...named, ...delta(named, { ...named, logprobs: { [name]: [1] } }) }
      })
      return JSON.stringify(assemble([delta({ content: 'x' }), ...chunks], true))
    }
    expect(withNames(1000).length).toBe(withNames(500).length)
    expect(withNames(1000)).toContain('"content":"x"')
  })

  it('has log probabilities only for those who asked, in one list', () => {
    const tokens = [1, 2].map((id) => delta({ content: 'x' }, { logprobs: { content: [{ token: id }] } }))
    expect(assemble(tokens, true).choices).toMatchObject([
      { logprobs: { content: [{ token: 1 }, { token: 2 }] } },
    ])
    expect(assemble(tokens, false).choices).toMatchObject([{ logprobs: null }])
  })

  it('has the usage of the miner where it sent one, and content even when it is empty', () => {
    const sent = { prompt_tokens: 9, completion_tokens: 0, total_tokens: 9 }
    const whole = assemble([
      delta({ role: 'assistant' }, { finish_reason: 'stop' }),
      { choices: [], usage: sent },
    ])
    expect(whole).toMatchObject({ usage: sent, choices: [{ message: { content: '' } }] })
  })

  it('takes members of any name as data', () => {
    const whole = assemble(['{"choices":[{"delta":{"__proto__":"x","content":"y"},"finish_reason":"stop"}]}'])
    expect(JSON.stringify(whole)).toContain('"__proto__":"x"')
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })
})

it('an answer of many tokens comes in portions, each of bounded size', () => {
  const entry = { token: 'x', logprob: -1, top_logprobs: Array(20).fill({ token: 'y', logprob: -2 }) }
  const assembly = createAssembly('chat', true)
  const data = JSON.stringify(delta({ content: 'x' }, { logprobs: { content: [entry] } }))
  for (let n = 0; n < 4096; n++) assembly.add(data)
  const portions = [...assembly.portions(usage)]
  expect(portions.length).toBeGreaterThan(50)
  expect(Math.max(...portions.map(({ length }) => length))).toBeLessThan((32 << 10) + data.length)
  expect(JSON.parse(portions.join('')).choices[0].logprobs.content).toEqual(Array(4096).fill(entry))
})

it('an assembled completion joins the text and its lists of tokens', () => {
  const chunks = ['a', 'b'].map((text) => ({
    choices: [{ index: 0, text, logprobs: { tokens: [text], token_logprobs: [-1] }, finish_reason: null }],
  }))
  expect(assemble(chunks, true, 'completion')).toMatchObject({
    object: 'text_completion',
    choices: [{ text: 'ab', logprobs: { tokens: ['a', 'b'], token_logprobs: [-1, -1] } }],
  })
})
