import { connect } from 'node:net'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { sse } from '../support/fake-vllm.js'
import { createArena, STREAM_BODY } from './arena.js'
import { GAUNTLET_SCALE, scaled } from './scale.js'
import { closed, percentile, signedPost, wait } from './victim.js'

const isFull = GAUNTLET_SCALE >= 1
const LIMIT_MS = isFull ? 3000 : 2000
/** Calm and attacked in turn: what else the machine does hits both alike. */
const BLOCKS = isFull ? 3 : 2
const REQUESTS = isFull ? 150 : 50
/** Of few requests the slowest ones tell of the machine. */
const SHARE = isFull ? 0.99 : 0.9

describe('gauntlet: heads without an end', () => {
  const arena = createArena()
  afterEach(() => arena.close())

  it('F5: heads that never end are cut at the limit, and valid requests beside them are answered as fast as without', async () => {
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await arena.start(kind, { 'header-timeout': LIMIT_MS / 1000 })
      vllm.answer = ({ response }) => void response.writeHead(200).end(sse('[DONE]'))
      const count = kind === 'naive' ? 20 : scaled(2000, 100)
      const url = `http://127.0.0.1:${victim.port}/v1/chat/completions`
      /** Percentile of the time to the first byte of valid requests, one after the other. */
      const askMany = async (requests: number) => {
        const times: number[] = []
        for (let asked = 0; asked < requests; asked++) {
          const { headers, body } = signedPost(STREAM_BODY)
          const from = performance.now()
          const answer = await request(url, { method: 'POST', headers, body })
          times.push(performance.now() - from)
          expect(answer.statusCode).toBe(200)
          expect(await answer.body.text()).toContain('[DONE]')
        }
        return percentile(times, SHARE)
      }
      await askMany(kind === 'naive' ? 1 : 2 * REQUESTS)
      const calm: number[] = []
      const attacked: number[] = []
      for (let block = 0; block < (kind === 'naive' ? 1 : BLOCKS); block++) {
        calm.push(await askMany(kind === 'naive' ? 1 : REQUESTS))
        // From its own connect on: of thousands at once the last ones wait in the kernel first.
        const lives: Promise<number>[] = []
        const sockets = Array.from({ length: count }, () => {
          const socket = connect(victim.port, '127.0.0.1')
          socket.on('error', () => {}).resume()
          socket.write('POST /models HTTP/1.1\r\nhost: x\r\n')
          let connectedAt = Number.NaN
          socket.once('connect', () => {
            connectedAt = performance.now()
          })
          lives.push(closed(socket).then(() => performance.now() - connectedAt))
          return socket
        })
        // A line each half second, a tenth of them at a time: a rush of writes would hold up the caller that is timed here.
        let turn = 0
        const drip = setInterval(() => {
          turn = (turn + 1) % 10
          for (let at = turn; at < count; at += 10) {
            const socket = sockets[at]
            if (socket && !socket.destroyed) socket.write('x-slow: 1\r\n')
          }
        }, 50)
        const all = Promise.all(lives).then((times) =>
          Math.max(...times.filter((time) => !Number.isNaN(time))),
        )
        // Taken in by then: what is measured is them being there, not the rush of their coming.
        await wait(500)
        attacked.push(await askMany(kind === 'naive' ? 1 : REQUESTS))
        const tookMs = await Promise.race([all, wait(kind === 'naive' ? LIMIT_MS + 2000 : 5 * LIMIT_MS)])
        clearInterval(drip)
        for (const socket of sockets) socket.destroy()
        if (kind === 'naive') expect(tookMs).toBeUndefined()
        else {
          console.log(
            `F5: the most patient of ${count} heads was cut after ${tookMs?.toFixed(0)} ms of ${LIMIT_MS}`,
          )
          expect(tookMs).toBeLessThan(GAUNTLET_SCALE >= 1 ? LIMIT_MS + 1000 : 5 * LIMIT_MS)
        }
      }
      const [calmMs, attackedMs] = [percentile(calm, 0.5), percentile(attacked, 0.5)]
      console.log(
        `F5 ${kind}: p${100 * SHARE} to the first byte ${calmMs.toFixed(1)} → ${attackedMs.toFixed(1)} ms`,
      )
      // A millisecond is what a timer of the machine may be off; elsewhere than in full runs its noise is larger.
      if (kind === 'miner')
        expect(attackedMs).toBeLessThan(GAUNTLET_SCALE >= 1 ? calmMs * 1.2 + 1 : calmMs * 3 + 10)
    }
  })
})
