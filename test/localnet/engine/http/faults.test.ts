import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../support/manual-clock.js'
import { closeEngines, MODEL, startEngine } from '../engine-client.js'

afterEach(closeEngines)

const COMPLETIONS = '/v1/completions'
const generate = { model: MODEL, prompt: 'The river', max_tokens: 8 }
const score = { ...generate, max_tokens: 1, prompt_logprobs: 2 }

describe('engine faults', () => {
  it('out-of-memory: scoring kills the engine, which stays dead until repaired', async () => {
    const { engine, get, post } = await startEngine({ fault: 'out-of-memory' })
    expect((await post(COMPLETIONS, generate)).status).toBe(200)
    expect(await post(COMPLETIONS, score)).toMatchObject({ status: 500 })
    expect(engine.fault).toBe('dead')
    expect((await post(COMPLETIONS, generate)).status).toBe(500)
    expect((await get('/health')).status).toBe(503)
    engine.setFault(undefined)
    expect((await post(COMPLETIONS, score)).status).toBe(200)
    expect((await get('/health')).status).toBe(200)
  })

  it('hang: work is never answered while /health returns 200', async () => {
    const { get, post } = await startEngine({ fault: 'hang' })
    expect((await get('/health')).status).toBe(200)
    const signal = AbortSignal.timeout(200)
    await expect(post(COMPLETIONS, score, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('garbage-json and cut-json: status 200 with an unreadable body', async () => {
    const { engine } = await startEngine()
    for (const fault of ['garbage-json', 'cut-json'] as const) {
      engine.setFault(fault)
      const response = await fetch(engine.url + COMPLETIONS, { method: 'POST', body: JSON.stringify(score) })
      expect(response.status).toBe(200)
      await expect(response.json()).rejects.toThrow(SyntaxError)
    }
  })

  it('missing-logprobs: a scoring call returns none', async () => {
    const { post } = await startEngine({ fault: 'missing-logprobs' })
    expect((await post(COMPLETIONS, score)).json.choices[0].prompt_logprobs).toBeNull()
  })

  it('error-in-stream: an error event after five tokens, status 200', async () => {
    for (const dialect of ['v0', 'v1'] as const) {
      const { stream } = await startEngine({ fault: 'error-in-stream', dialect })
      const events = await stream(COMPLETIONS, generate)
      expect(events).toHaveLength(6)
      expect(events.at(-1)).toMatchObject(dialect === 'v0' ? { object: 'error' } : { error: { code: 500 } })
    }
  })

  it('unreachable, or not ready yet: connections are reset', async () => {
    const clock = new ManualClock()
    const { engine, get } = await startEngine({ readyAfterMs: 60_000 }, clock)
    await expect(get('/health')).rejects.toThrow()
    await clock.advance(60_000)
    expect((await get('/health')).status).toBe(200)
    engine.setFault('unreachable')
    await expect(get('/health')).rejects.toThrow()
  })
})
