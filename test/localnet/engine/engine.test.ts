import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/kernel/clock.js'
import { startDevelopmentEngine } from '../../../src/localnet/engine/index.js'
import { settle } from '../../support/manual-clock.js'
import { closeEngines, MODEL, startEngine } from './engine-client.js'

afterEach(closeEngines)

describe('startDevelopmentEngine', () => {
  it('rejects a port in use and an empty list of models', async () => {
    const { engine } = await startEngine()
    await expect(startEngine({ port: engine.port })).rejects.toMatchObject({
      code: 'ENGINE_PORT',
      fault: 'usage',
    })
    await expect(startEngine({ models: [] })).rejects.toMatchObject({ code: 'ENGINE_NO_MODELS' })
  })

  it('queues requests over its limit, counts them and paces each from its turn', async () => {
    const { engine, post } = await startEngine({ tokensPerSecond: 100, maxConcurrentSequences: 1 })
    const request = { model: MODEL, prompt: 'A', max_tokens: 10, ignore_eos: true }
    const startMs = performance.now()
    const answers = [1, 2, 3].map(() => post('/v1/completions', request))
    while (engine.load.waiting < 2) await settle()
    expect(engine.load.running).toBe(1)
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200)
    expect(performance.now() - startMs).toBeGreaterThan(3 * 9 * 10 - 5)
    expect(engine.load).toEqual({ running: 0, waiting: 0 })
  })

  it('closes when its signal aborts, before or after the start', async () => {
    const stop = new AbortController()
    const start = () =>
      startDevelopmentEngine({ port: 0, models: [MODEL] }, { clock: systemClock, signal: stop.signal })
    const running = await start()
    expect((await fetch(`${running.url}/health`)).status).toBe(200)
    stop.abort()
    await running.close()
    await expect(fetch(`${running.url}/health`)).rejects.toThrow()
    const stillborn = await start()
    await expect(fetch(`${stillborn.url}/health`)).rejects.toThrow()
  })
})
