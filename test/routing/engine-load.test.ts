import { describe, expect, it } from 'vitest'
import { readModelList, servedNames } from '../../src/routing/discovery.js'
import { readEngineLoad } from '../../src/routing/engine-load.js'

describe('readEngineLoad', () => {
  it('sums vLLM’s gauges over models and engines, with or without labels and timestamps', () => {
    const text = [
      '# HELP vllm:num_requests_running Number of requests',
      '# TYPE vllm:num_requests_running gauge',
      'vllm:num_requests_running{engine="0",model_name="org/a b}c"} 3.0',
      'vllm:num_requests_running{engine="1",model_name="org/a"} 2 1700000000000',
      'vllm:num_requests_waiting 4.0',
      'vllm:num_requests_waiting_extra 99',
      'vllm:generation_tokens_total{model_name="org/a"} 1.5e+03',
    ].join('\n')
    expect(readEngineLoad(text)).toEqual({ running: 5, waiting: 4, generatedTokens: 1500 })
  })

  it('ignores other servers’ metrics and invalid values', () => {
    expect(readEngineLoad('go_threads 7\n')).toBeUndefined()
    expect(readEngineLoad('vllm:num_requests_running NaN\nvllm:num_requests_waiting -3')).toBeUndefined()
  })
})

describe('discovery', () => {
  it('leaves out duplicate and unsafe names', () => {
    const data = ['org/a', 'org/a', 7, null, 'x\ny', '', 'a'.repeat(201), '__proto__', 'b:lora@1'].map(
      (id) => ({ id }),
    )
    expect(readModelList(JSON.stringify({ object: 'list', data }))).toEqual([
      'org/a',
      '__proto__',
      'b:lora@1',
    ])
  })

  it('returns undefined for anything that is not a model list', () => {
    for (const text of ['', 'null', '[]', '{"data":{}}', '<html>'])
      expect(readModelList(text)).toBeUndefined()
  })

  it('serves configured models and aliases only while the server has them', () => {
    expect([...servedNames(['a', 'b'], { big: 'a', gone: 'z' }, ['a', 'c'])]).toEqual(['a', 'big'])
    expect([...servedNames([], { big: 'a' }, ['a', 'c'])]).toEqual(['a', 'c', 'big'])
    expect([...servedNames(['a'], {}, undefined)]).toEqual(['a'])
  })
})
