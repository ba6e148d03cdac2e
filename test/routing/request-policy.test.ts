import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeRequest } from '../../src/inference/request.js'
import {
  createRequestPolicy,
  findViolation,
  type RequestPolicySetting,
} from '../../src/routing/request-policy.js'
import { type FakeVllm, startFakeVllm } from '../support/fake-vllm.js'
import { type MinerRig, startMinerRig } from '../support/miner-rig.js'

const MODEL = { model: 'org/model' }
const IMAGE = { type: 'image_url', image_url: { url: 'http://169.254.169.254/latest/meta-data' } }
const saying = (content: unknown) => ({ ...MODEL, messages: [{ role: 'user', content }] })

const violationOf = (body: object, setting: RequestPolicySetting = 'default') => {
  const policy = createRequestPolicy(setting)
  return policy && findViolation({ ...body }, policy)
}

describe('the default request policy (T-M20)', () => {
  it.each<[string, Record<string, unknown>]>([
    ['n', { n: 1000 }],
    ['n', { n: '1000' }],
    ['n', { n: 9 }],
    ['best_of', { best_of: 20 }],
    ['logprobs', { logprobs: 1000 }],
    ['logprobs', { logprobs: -1 }],
    ['top_logprobs', { logprobs: true, top_logprobs: 1000 }],
    ['prompt_logprobs', { prompt_logprobs: 20 }],
    ['prompt_logprobs', { prompt_logprobs: 0 }],
    ['max_tokens', { max_tokens: 1e9 }],
    ['max_completion_tokens', { max_completion_tokens: 1e9 }],
    ['min_tokens', { min_tokens: 100_000 }],
    ['ignore_eos', { ignore_eos: true }],
    ['ignore_eos', { ignore_eos: 'true' }],
    ['use_beam_search', { use_beam_search: true }],
    ['guided_regex', { guided_regex: '(a+)+$' }],
    ['guided_json', { guided_json: {} }],
    ['guided_grammar', { guided_grammar: 'root ::= root' }],
    ['structured_outputs', { structured_outputs: { regex: '(a+)+$' } }],
    ['response_format', { response_format: { type: 'structural_tag', format: {} } }],
    ['chat_template', { chat_template: '{{ 9 ** 9 ** 9 }}' }],
    ['chat_template_kwargs', { chat_template_kwargs: {} }],
    ['documents', { documents: [] }],
    ['kv_transfer_params', { kv_transfer_params: { do_remote_prefill: true } }],
    ['logits_processors', { logits_processors: ['os.system'] }],
    ['vllm_xargs', { vllm_xargs: {} }],
    ['priority', { priority: -1 }],
    ['cache_salt', { cache_salt: 'x' }],
    ['request_id', { request_id: 'x' }],
    ['prompt_embeds', { prompt_embeds: 'AAAA' }],
    ['mm_processor_kwargs', { mm_processor_kwargs: {} }],
    ['stop', { stop: Array.from({ length: 17 }, String) }],
    ['prompt', { prompt: ['a', 'b', 'c', 'd', 'e'], n: 2 }],
    ['prompt', { prompt: Array.from({ length: 9 }, () => [1, 2]) }],
    ['echo', { prompt: 'a', echo: true, logprobs: 5 }],
    ['echo', { prompt: 'a', echo: true, logprobs: false }],
    ['echo', { messages: [{ role: 'user', content: 'a' }], echo: true }],
    ['echo', { messages: [{ role: 'user', content: 'a' }], echo: true, top_logprobs: 0 }],
    ['__proto__', JSON.parse('{"__proto__": {"n": 1000}}') as Record<string, unknown>],
    ['audio', { modalities: ['text', 'audio'], audio: { voice: 'x' } }],
  ])('refuses %s, and names it: %j', (member, members) => {
    const violation = violationOf({ ...MODEL, ...members })
    expect(violation?.member).toBe(member)
    expect(violation?.message).toContain(member)
  })

  it.each([
    ['an image', saying([{ type: 'text', text: 'See:' }, IMAGE])],
    ['a file', saying([{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }])],
    ['sound', saying([{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }])],
    ['a video', saying([{ type: 'video_url', video_url: { url: 'http://10.0.0.1/' } }])],
    [
      'an image in a text part',
      saying([{ type: 'text', text: 'x', uuid: 'u', image_url: { url: 'http://10.0.0.1/' } }]),
    ],
    ['a uuid in a text part', saying([{ type: 'text', text: 'x', uuid: 'u' }])],
    ['a part without a type', saying([{ image_url: 'http://10.0.0.1/' }])],
    ['a part outside a list', saying(IMAGE)],
    [
      'a later message',
      { ...MODEL, messages: [{ role: 'system', content: 'x' }, ...saying([IMAGE]).messages] },
    ],
  ])('refuses content that is not text: %s', (_, body) => {
    expect(violationOf(body)).toMatchObject({
      member: 'messages',
      message: expect.stringContaining('only text'),
    })
  })

  const NO_CUTS = {
    ...{ top_p: 1, top_k: -1, min_p: 0 },
    ...{ presence_penalty: 0, frequency_penalty: 0, repetition_penalty: 1 },
  }
  const chat = saying([{ type: 'text', text: 'Hi' }, 'there'])
  it.each([
    [
      'what validators send to chat',
      { ...chat, seed: 1, max_tokens: 1920, temperature: 0.5, stream: true, logprobs: true, ...NO_CUTS },
    ],
    [
      'what validators send to completions',
      { ...MODEL, prompt: 'a', max_tokens: 512, logprobs: true, stream: true, ...NO_CUTS },
    ],
    ['token ids as a prompt', { ...MODEL, prompt: Array.from({ length: 100_000 }, (_, id) => id) }],
    [
      'a legacy client',
      { ...MODEL, prompt: ['a', 'b'], suffix: null, echo: false, best_of: 1, logprobs: 5, n: 2 },
    ],
    [
      'every member of OpenAI’s chat client',
      {
        ...{
          ...chat,
          stream: true,
          stream_options: { include_usage: true },
          n: 4,
          stop: ['a', 'b'],
          seed: 7,
        },
        ...{
          max_completion_tokens: 8192,
          temperature: 1,
          top_p: 1,
          presence_penalty: -2,
          frequency_penalty: 0,
        },
        ...{
          logit_bias: { 50256: -100 },
          logprobs: true,
          top_logprobs: 20,
          user: 'u',
          metadata: {},
          store: false,
        },
        ...{ tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], tool_choice: 'auto' },
        ...{ parallel_tool_calls: true, reasoning_effort: 'low', service_tier: 'auto', verbosity: 'low' },
        ...{ response_format: { type: 'json_schema', json_schema: { name: 's', schema: {} } } },
      },
    ],
    [
      'how vLLM samples',
      {
        ...{ ...chat, top_k: -1, min_p: 0, repetition_penalty: 1, length_penalty: 1, min_tokens: 3 },
        ...{ stop_token_ids: [1], include_stop_str_in_output: false, skip_special_tokens: true },
        ...{ spaces_between_special_tokens: true, ignore_eos: false, use_beam_search: false, bad_words: [] },
        ...{ return_tokens_as_token_ids: true, return_token_ids: true, add_generation_prompt: true },
      },
    ],
    [
      'members set to null',
      { ...chat, chat_template: null, guided_json: null, n: null, response_format: null },
    ],
    [
      'a conversation with tool calls',
      {
        ...MODEL,
        messages: [
          { role: 'assistant', content: null, tool_calls: [] },
          { role: 'tool', tool_call_id: '1', content: [{ type: 'text', text: '4' }] },
        ],
      },
    ],
  ])('lets through %s', (_, body) => {
    expect(violationOf(body)).toBeUndefined()
  })

  it('lets through what our own validator and query send', () => {
    const common = { model: 'org/model', maxTokens: 1920, temperature: 0.4, seed: 10_000 }
    for (const request of [
      { ...common, endpoint: 'chat' as const, messages: [{ role: 'user' as const, content: 'Hi' }] },
      { ...common, endpoint: 'completion' as const, prompt: 'Hi' },
    ])
      expect(
        violationOf(JSON.parse(Buffer.from(encodeRequest(request)).toString()) as object),
      ).toBeUndefined()
  })
})

describe('a configured request policy', () => {
  it('allows, denies and bounds members, and lets through types of content', () => {
    const setting = {
      allow: ['guided_regex', 'priority'],
      deny: ['tools'],
      ceilings: { n: 1, priority: 5, temperature: 1.5 },
      content: ['image_url'],
    }
    expect(violationOf({ ...saying([IMAGE]), guided_regex: 'a', priority: 5, n: 1 }, setting)).toBeUndefined()
    for (const [member, body] of Object.entries({
      ...{ tools: { tools: [] }, n: { n: 2 }, priority: { priority: 6 }, temperature: { temperature: 2 } },
      ...{ messages: saying([{ type: 'video_url' }]), cache_salt: { cache_salt: 'x' } },
    }))
      expect(violationOf({ ...MODEL, ...body }, setting)?.member, member).toBe(member)
  })

  it('lets everything through when it is off', () => {
    expect(violationOf({ ...saying([IMAGE]), n: 1000, chat_template: 'x' }, 'off')).toBeUndefined()
  })
})

describe('a miner with the default request policy', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start(settings: object = {}): Promise<[MinerRig, FakeVllm]> {
    const vllm = await startFakeVllm()
    const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url], ...settings } })
    open.push(vllm, rig)
    return [rig, vllm]
  }

  it('answers 400 in OpenAI’s shape, and the model server hears nothing of it', async () => {
    const [rig, vllm] = await start()
    for (const body of [{ ...MODEL, prompt: 'a', ignore_eos: true }, saying([IMAGE])]) {
      const fetch = async (_: unknown, init?: { body?: unknown }) => {
        const answer = await rig.post('/v1/chat/completions', String(init?.body))
        return new Response(await answer.body.text(), { status: answer.statusCode })
      }
      const client = new OpenAI({ apiKey: 'x', baseURL: `${rig.url}/v1`, maxRetries: 0, fetch })
      const error: unknown = await client.chat.completions
        .create(body as never)
        .catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(OpenAI.BadRequestError)
      const member = 'ignore_eos' in body ? 'ignore_eos' : 'messages'
      expect(error).toMatchObject({ code: 'request_policy', param: member, type: 'invalid_request_error' })
      expect(String(error)).toContain(member)
    }
    expect(vllm.received).toEqual([])
    expect(await (await fetch(`${rig.statusUrl}/metrics`)).text()).toContain(
      'targon_epistula_rejections_total{reason="REQUEST_POLICY"} 2',
    )
  })

  it('passes on an allowed body byte for byte', async () => {
    const [rig, vllm] = await start()
    const body =
      '{ "seed":12345678901234567890, "n":1.0,\n"model" : "org/model", "stream":true,"messages":[]}'
    const answer = await rig.post('/v1/chat/completions', body)
    expect(answer.statusCode).toBe(200)
    await answer.body.dump()
    expect(vllm.received[0]?.body).toBe(body)
  })

  it('judges the last of duplicate members, as Python reads them', async () => {
    const [rig, vllm] = await start()
    for (const body of [
      '{"model":"org/model","n":1,"n":1000}',
      '{"model":"org/model","n":1,"\\u006e":1000}',
    ]) {
      const answer = await rig.post('/v1/completions', body)
      expect(answer.statusCode).toBe(400)
      await answer.body.dump()
    }
    expect(vllm.received).toEqual([])
  })
})
