import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultLimits, type UpstreamSettings } from '../../src/routing/index.js'
import type { FakeVllm } from '../support/fake-vllm.js'
import { ManualClock } from '../support/manual-clock.js'
import { createRouterRig, settingsOf } from '../support/router-rig.js'

/** Shows when the pause between two health checks begins and ends; no deadline has the length of such a pause. */
class PauseClock extends ManualClock {
  pauses = 0
  isPausing = false

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const isPause = ms === defaultLimits.refreshMs || ms === 1000 || ms === 2000
    if (!isPause) return super.sleep(ms, signal)
    this.pauses++
    this.isPausing = true
    await super.sleep(ms, signal)
    this.isPausing = false
  }
}

describe('upstream health', () => {
  const rig = createRouterRig()
  afterEach(() => rig.close())

  const until = async (clock: ManualClock, check: () => boolean) => {
    for (let turn = 0; turn < 500 && !check(); turn++) {
      await clock.advance(500)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(check()).toBe(true)
  }

  it('does not let callers take a server down by internal errors, unless a test request fails too', async () => {
    const clock = new ManualClock()
    const server = await rig.vllm({
      answer: (received) => {
        if (received.body.includes('odd')) received.response.writeHead(500).end()
        else received.response.writeHead(200).end('fine')
      },
    })
    const { post, router } = await rig.serve([settingsOf(server.url)], {}, clock)
    const statusOf = async (body?: string) => {
      const answer = await post(body)
      await answer.body.dump()
      return answer.statusCode
    }
    const odd = JSON.stringify({ model: 'org/model', odd: true })
    for (let count = 0; count < 10; count++) expect(await statusOf(odd)).toBe(500)
    expect(router.report()[0]).toMatchObject({ breaker: 'closed', failures: 10, health: 'up' })
    expect(await statusOf()).toBe(200)

    for (let count = 0; count < 3; count++) expect(await statusOf(odd)).toBe(500)
    server.engineStatus = 500
    await until(clock, () => router.models().length === 0)
    expect(router.report()[0]).toMatchObject({
      health: 'down',
      reason: 'a test request returned 500',
    })
    expect(await statusOf()).toBe(503)
    server.engineStatus = 200
    await until(clock, () => router.models().length === 1)
    expect(await statusOf()).toBe(200)
  })

  it('marks an upstream as down after two failed checks in a row, not after one', async () => {
    const clock = new PauseClock()
    const server = await rig.vllm()
    let isLost = false
    const front = createServer((incoming, response) => {
      if (isLost) return void response.socket?.resetAndDestroy()
      void request(`${new URL(server.url).origin}${incoming.url}`).then(async (answer) => {
        response.writeHead(answer.statusCode).end(await answer.body.text())
      })
    })
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    rig.add({ close: () => new Promise((resolve) => void front.close(resolve).closeAllConnections()) })
    const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/v1`
    const { router } = await rig.serve([settingsOf(url)], {}, clock)
    const nextCheck = async () => {
      await expect.poll(() => clock.isPausing).toBe(true)
      const { pauses } = clock
      while (clock.isPausing && clock.pauses === pauses) await clock.advance(250)
      // The check is over when the pause before the next one has begun.
      await expect.poll(() => clock.pauses).toBe(pauses + 1)
    }
    for (let round = 0; round < 3; round++) {
      isLost = true
      await nextCheck()
      expect(router.report()[0]).toMatchObject({ health: 'up' })
      expect(router.models()).toEqual(['org/model'])
      isLost = false
      await nextCheck()
    }
    isLost = true
    await nextCheck()
    await nextCheck()
    expect(router.report()[0]).toMatchObject({ health: 'down' })
    expect(router.models()).toEqual([])
  })

  it('follows the model list, health and load of a server', async () => {
    const clock = new ManualClock()
    const server = await rig.vllm({ models: ['a'] })
    const { router } = await rig.serve([settingsOf(server.url)], {}, clock)
    expect(router.models()).toEqual(['a'])
    server.models = ['b', 'a']
    await until(clock, () => router.models().join() === 'a,b')
    server.healthStatus = 500
    await until(clock, () => router.models().length === 0)
    expect(router.report()[0]).toMatchObject({ health: 'down', reason: 'GET /health returned 500' })
    server.healthStatus = 200
    server.metrics = 'vllm:num_requests_running 7\nvllm:num_requests_waiting 2\n'
    await until(clock, () => router.report()[0]?.running === 7)
    expect(router.report()[0]).toMatchObject({ health: 'up', waiting: 2 })
  })

  const never = new Promise<void>(() => {})

  it('trusts the bytes of a stream more than checks that get no answer', async () => {
    const clock = new ManualClock()
    let write = () => {}
    const server = await rig.vllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        write = () => void response.write('data: {}\n\n')
        write()
      },
    })
    const { post, router } = await rig.serve([settingsOf(server.url)], {}, clock)
    const stream = await post()
    const bytes = stream.body[Symbol.asyncIterator]()
    server.gate = never
    for (let step = 0; step < 120; step++) {
      write()
      await bytes.next()
      await clock.advance(500)
      await new Promise((resolve) => setTimeout(resolve, 2))
      expect(router.report()[0]).toMatchObject({ health: 'up' })
    }
    expect(router.models()).toEqual(['org/model'])
    // Without bytes the checks count again.
    await until(clock, () => router.report()[0]?.health === 'down')
    expect(router.report()[0]?.reason).toMatch(/did not finish within 5000 ms/)
    stream.body.destroy()
  })

  it('uses a server that answers no check in time while no other has the model, and any other first', async () => {
    const clock = new ManualClock()
    const [busy, other] = [await rig.vllm(), await rig.vllm({ models: ['org/other'] })]
    const { post, router } = await rig.serve([settingsOf(busy.url), settingsOf(other.url)], {}, clock)
    busy.gate = never
    await until(clock, () => router.report()[0]?.health === 'down')
    expect(router.models()).toEqual(['org/model', 'org/other'])
    const answer = await post()
    expect(answer.statusCode).toBe(200)
    await answer.body.dump()
    expect(busy.received).toHaveLength(1)
    other.models = ['org/model']
    await until(clock, () => router.report()[1]?.models.join() === 'org/model')
    // The answer of a moment ago has brought the first server back: it has to fail its checks again.
    await until(clock, () => router.report()[0]?.health === 'down')
    for (let count = 0; count < 5; count++) await (await post()).body.dump()
    expect([busy.received.length, other.received.length]).toEqual([1, 5])
  })

  it('does not use a server that refuses connections, which is not merely busy', async () => {
    const clock = new ManualClock()
    const server = await rig.vllm()
    const { post, router } = await rig.serve([settingsOf(server.url)], {}, clock)
    await server.close()
    await until(clock, () => router.models().length === 0)
    const answer = await post()
    expect(answer.statusCode).toBe(503)
    await answer.body.dump()
  })

  it('uses configured models of a server that has not answered yet', async () => {
    const clock = new ManualClock()
    const server = await rig.vllm()
    server.gate = never
    const started = rig.serve([settingsOf(server.url, { models: ['org/model'] })], {}, clock)
    let isStarted = false
    void started.then(() => {
      isStarted = true
    })
    await until(clock, () => isStarted)
    const { post, router } = await started
    expect(router.report()[0]).toMatchObject({ health: 'down' })
    expect(router.models()).toEqual(['org/model'])
    const answer = await post()
    expect(answer.statusCode).toBe(200)
    await answer.body.dump()
  })

  it.each<[string, Partial<FakeVllm>, UpstreamSettings['askHealth'], boolean]>([
    ['whose models vLLM owns', { owner: { owned_by: 'vllm' } }, undefined, true],
    ['whose models someone else owns, as with LiteLLM', { owner: { owned_by: 'openai' } }, 'auto', false],
    ['that names no owner', { owner: {} }, 'auto', false],
    ['that names no owner but a version', { owner: {}, version: { version: '0.9.1' } }, 'auto', true],
    [
      'that names no owner but has vLLM’s metrics',
      { owner: {}, metrics: 'vllm:num_requests_running 0\n' },
      'auto',
      true,
    ],
    ['of any kind when it is set to always', { owner: { owned_by: 'openai' } }, 'always', true],
    ['of no kind when it is set to never', {}, 'never', false],
  ])('knows whether to ask GET /health of a server %s', async (_, changes, askHealth, isAsked) => {
    const clock = new ManualClock()
    const server = Object.assign(await rig.vllm(), changes)
    const { router } = await rig.serve([settingsOf(server.url, askHealth ? { askHealth } : {})], {}, clock)
    server.models = ['org/new']
    await until(clock, () => router.models().join() === 'org/new')
    expect(server.healthAsked > 0).toBe(isAsked)
  })
})
