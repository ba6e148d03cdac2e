import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/routing/index.js'
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
})
