import { afterEach, describe, expect, it } from 'vitest'
import { startFakeVllm } from '../../../support/fake-vllm.js'
import { startMinerRig } from '../../../support/miner-rig.js'

const BYTES = 4 << 20
const brackets = (count: number) => '['.repeat(count / 2) + ']'.repeat(count / 2)
const withMessages = (value: string) => `{"model":"org/model","stream":true,"messages":${value}}`

describe('bodies that are costly to parse (T-M21)', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  it.each([
    ['nested to the size limit', withMessages(brackets(BYTES - 100)), 400],
    ['nested as deep as allowed, and as large', withMessages(`[${'{"a":[{}]},'.repeat(60_000)}0]`), 200],
    ['a million empty objects', withMessages(`[${'{},'.repeat(1_000_000)}0]`), 400],
  ])(
    'leave no gap in the stream of another caller: %s',
    async (_, body, status) => {
      const isSlow = (text: string) => text.includes('"slow"')
      const vllm = await startFakeVllm({
        answer: ({ response, body: received }) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          if (!isSlow(received)) return void response.end('data: [DONE]\n\n')
          const timer = setInterval(() => response.write('data: {}\n\n'), 10)
          response.on('close', () => clearInterval(timer))
        },
      })
      open.push(vllm)
      const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url], 'request-policy': 'off' } })
      open.push(rig)
      // Starts the thread.
      await (await rig.post('/v1/chat/completions', withMessages(`"${'x'.repeat(1 << 17)}"`))).body.dump()
      const stream = await rig.post('/v1/chat/completions', withMessages('"slow"'))
      let lastAt = performance.now()
      let gapMs = 0
      stream.body.on('data', () => {
        gapMs = Math.max(gapMs, performance.now() - lastAt)
        lastAt = performance.now()
      })
      const answers: number[] = []
      // More than two at once exceed what one address may have unverified.
      for (let pair = 0; pair < 3; pair++) {
        const both = [rig.post('/v1/chat/completions', body), rig.post('/v1/chat/completions', body)]
        for (const answer of await Promise.all(both)) {
          await answer.body.dump()
          answers.push(answer.statusCode)
        }
      }
      gapMs = Math.max(gapMs, performance.now() - lastAt)
      stream.body.destroy()
      expect(new Set(answers.filter((one) => one !== 429))).toEqual(new Set([status]))
      // The bodies are also sent by this thread, and hashed.
      expect(gapMs).toBeLessThan(700)
    },
    20_000,
  )
})
