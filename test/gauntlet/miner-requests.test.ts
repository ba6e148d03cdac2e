import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { createArena } from './arena.js'
import { scaled } from './scale.js'
import { startTally } from './tally.js'
import { askRaw, inParallel, signedPost } from './victim.js'

const MIB = 1 << 20
const chat = (members: object) => JSON.stringify({ model: 'org/model', messages: [], ...members })
const media = (part: object) => chat({ messages: [{ role: 'user', content: [part] }] })

/** What a signed caller may send to make a model server work for a hundred, or fetch what the caller chose. */
const HOSTILE: readonly string[] = [
  ...[{ n: 1000 }, { logprobs: 1000 }, { prompt_logprobs: 20 }, { best_of: 100 }, { max_tokens: 1e9 }].map(
    chat,
  ),
  ...[{ ignore_eos: true }, { guided_regex: '(a+)+$' }, { chat_template: '{{ x }}' }, { priority: -1 }].map(
    chat,
  ),
  ...[{ kv_transfer_params: {} }, { logits_processors: ['x'] }, { cache_salt: 'x' }].map(chat),
  ...['http://169.254.169.254/', 'file:///etc/passwd'].map((url) =>
    media({ type: 'image_url', image_url: { url } }),
  ),
  chat({ messages: '['.repeat(MIB) }).replace(`"${'['.repeat(MIB)}"`, '['.repeat(MIB) + ']'.repeat(MIB)),
  `{"model":"org/model","prompt":[${'{},'.repeat(MIB / 2)}0]}`,
]

describe('gauntlet: signed requests that ask too much', () => {
  const arena = createArena()
  afterEach(() => arena.close())

  it('F32: none reaches a model server, and none stops the streams of other callers', async ({ task }) => {
    const tally = startTally(task, { fault: 'F32', kind: 'signed requests that ask too much', full: 2000 })
    const [naive, exposed] = await arena.start('naive')
    await askRaw(naive.port, [signedPost(HOSTILE[0] ?? '')])
    // control: without a policy they are forwarded
    expect(exposed.received).toHaveLength(1)

    const [victim, vllm] = await arena.start('miner')
    vllm.answer = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const timer = setInterval(() => response.write('data: {}\n\n'), 10)
      response.on('close', () => clearInterval(timer))
    }
    const honest = signedPost(chat({ stream: true }))
    const stream = await request(`http://127.0.0.1:${victim.port}/v1/chat/completions`, {
      method: 'POST',
      headers: honest.headers,
      body: honest.body,
    })
    let lastAt = performance.now()
    let gapMs = 0
    stream.body.on('error', () => {})
    stream.body.on('data', () => {
      gapMs = Math.max(gapMs, performance.now() - lastAt)
      lastAt = performance.now()
    })
    const statuses = new Set<number>()
    await inParallel(scaled(tally.full, 1, 4 * HOSTILE.length), 4, async (index) => {
      const [status = 0] = await askRaw(victim.port, [signedPost(HOSTILE[index % HOSTILE.length] ?? '')])
      statuses.add(status)
      tally.count++
    })
    stream.body.destroy()
    // Several large bodies at once may be more than one address may have unverified.
    expect([...statuses].filter((status) => status !== 429)).toEqual([400])
    expect(vllm.received).toHaveLength(1)
    expect(victim.crashes).toEqual([])
    expect(gapMs).toBeLessThan(500)
  })
})
