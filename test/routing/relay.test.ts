import { afterEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/routing/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { createRouterRig, settingsOf } from '../support/router-rig.js'

describe('relay', () => {
  const rig = createRouterRig()
  afterEach(() => rig.close())

  it('cuts a silent upstream at its first-byte, gap and total timeouts', async () => {
    for (const [name, limits, head] of [
      ['first byte', { firstByteTimeoutMs: 1000 }, ''],
      ['gap', { gapTimeoutMs: 1000 }, 'x'],
      ['total', { totalTimeoutMs: 1000 }, 'x'],
    ] as const) {
      const clock = new ManualClock()
      const silent = await rig.vllm({
        answer: ({ response }) => void (head && response.writeHead(200).write(head)),
      })
      const { post, nextOutcome } = await rig.serve([settingsOf(silent.url)], limits, clock)
      const outcome = nextOutcome()
      const asked = post()
      const answer = asked.then((one) =>
        one.body.text().then(
          () => one.statusCode,
          () => 'cut',
        ),
      )
      const upstream = await silent.arrived(1)
      // Its first byte has been passed on when the caller has the head.
      if (head) await asked
      await clock.advance(1250)
      expect((await outcome).kind, name).toBe(head ? 'broken' : 'refused')
      expect(await answer, name).toBe(head ? 'cut' : 504)
      await upstream.closed
    }
  })

  it('cuts a caller that stops reading, and frees its upstream', async () => {
    const clock = new ManualClock()
    let writing = true
    const flood = await rig.vllm({
      answer: ({ response }) => {
        response.writeHead(200)
        const chunk = Buffer.alloc(64 << 10)
        const write = () => {
          while (writing && !response.destroyed && response.write(chunk));
        }
        response.on('drain', write).on('close', () => {
          writing = false
        })
        write()
      },
    })
    const { post, nextOutcome, router } = await rig.serve(
      [settingsOf(flood.url)],
      { gapTimeoutMs: 1e9, totalTimeoutMs: 1e9 },
      clock,
    )
    const outcome = nextOutcome()
    const answer = await post()
    answer.body.on('error', () => {})
    let seen: Outcome | undefined
    void outcome.then((one) => {
      seen = one
    })
    while (seen === undefined) {
      await clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(seen).toMatchObject({ kind: 'caller-left', reason: 'the caller stopped reading' })
    await flood.received[0]?.closed
    expect(router.inFlight).toBe(0)
  })
})
