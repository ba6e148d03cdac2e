import { afterEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { sse, startFakeVllm } from '../support/fake-vllm.js'
import { startMinerRig } from '../support/miner-rig.js'
import { startTally } from './tally.js'

/** A wall clock that stands still except when it is set, so that a slow machine makes no request older. */
class JumpingClock implements Clock {
  offsetMs = 0
  readonly #frozenAt = systemClock.now()
  /** Naive: the wall clock also measures durations. */
  readonly #isNaive: boolean
  constructor(isNaive = false) {
    this.#isNaive = isNaive
  }
  now(): number {
    return this.#frozenAt + this.offsetMs
  }
  monotonic(): number {
    return this.#isNaive ? this.now() : systemClock.monotonic()
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal)
  }
}

describe('gauntlet: clocks', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  it('F19: accepts clocks up to 7 s off but not 9 s; jumps of an hour end no stream and admit no replay', async ({
    task,
  }) => {
    const tally = startTally(task, { fault: 'F19', kind: 'wrong and jumping clocks of a miner', full: 7 })
    const clock = new JumpingClock()
    const vllm = await startFakeVllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse('first'))
        setTimeout(() => response.end(sse('[DONE]')), 400)
      },
    })
    const rig = await startMinerRig({
      clock,
      settings: { 'model-endpoint': [vllm.url], 'max-in-flight-per-signer': 100 },
    })
    open.push(vllm, rig)
    clock.offsetMs = 20_000
    const body = JSON.stringify({ model: 'org/model', stream: true })
    for (const [offsetMs, status] of [
      [-7000, 200],
      [7000, 200],
      [-9000, 400],
      [9000, 400],
    ] as const) {
      const answer = await rig.post(
        '/v1/completions',
        body,
        rig.sign(body, { nowMs: clock.now() + offsetMs }),
      )
      expect(answer.statusCode, String(offsetMs)).toBe(status)
      await answer.body.dump()
      tally.count++
    }
    const captured = rig.sign(body, { nowMs: clock.now() })
    const stream = await rig.post('/v1/completions', body, captured)
    for (const jumpMs of [3_600_000, -7_200_000, 3_600_000]) {
      clock.offsetMs += jumpMs
      const copy = await rig.post('/v1/completions', body, captured)
      expect(copy.statusCode).toBe(400)
      await copy.body.dump()
      tally.count++
    }
    expect(await stream.body.text()).toBe(sse('first', '[DONE]'))
  })

  it('F19 control: a miner that measures with the wall clock cuts a stream off when it jumps', async () => {
    const clock = new JumpingClock(true)
    const vllm = await startFakeVllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse('first'))
        setTimeout(() => response.end(sse('[DONE]')), 1500)
      },
    })
    const rig = await startMinerRig({ clock, settings: { 'model-endpoint': [vllm.url] } })
    open.push(vllm, rig)
    const body = JSON.stringify({ model: 'org/model', stream: true })
    const stream = await rig.post('/v1/completions', body, rig.sign(body, { nowMs: clock.now() + 1000 }))
    clock.offsetMs += 3_600_000
    await expect(stream.body.text()).rejects.toThrow()
  })
})
