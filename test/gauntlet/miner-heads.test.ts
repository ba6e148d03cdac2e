import { connect } from 'node:net'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { sse } from '../support/fake-vllm.js'
import { createArena, STREAM_BODY } from './arena.js'
import { GAUNTLET_SCALE, scaled } from './scale.js'
import { startTally } from './tally.js'
import { closed, percentile, signedPost, wait } from './victim.js'

const isFull = GAUNTLET_SCALE >= 1
const LIMIT_MS = isFull ? 3000 : 2000
/** Calm and attacked phases alternate, so that other load on the machine affects both alike. */
const BLOCKS = isFull ? 3 : 2
const REQUESTS = isFull ? 150 : 50
/** With few requests the slowest ones only show the load of the machine. */
const SHARE = isFull ? 0.99 : 0.9

describe('gauntlet: endless request headers', () => {
  const arena = createArena()
  afterEach(() => arena.close())

  it('F5: endless headers are cut off at the limit, and valid requests are answered as fast as without them', async ({
    task,
  }) => {
    const tally = startTally(task, { fault: 'F5', kind: 'connections with endless headers', full: 6000 })
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await arena.start(kind, { 'header-timeout': LIMIT_MS / 1000 })
      vllm.answer = ({ response }) => void response.writeHead(200).end(sse('[DONE]'))
      const count = kind === 'naive' ? 20 : scaled(2000, 100)
      const url = `http://127.0.0.1:${victim.port}/v1/chat/completions`
      /** Percentile of the time to first byte of valid requests, sent one after the other. */
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
        // measured from connect, because the last of thousands wait in the kernel first
        const lifetimes: Promise<number>[] = []
        const sockets = Array.from({ length: count }, () => {
          const socket = connect(victim.port, '127.0.0.1')
          socket.on('error', () => {}).resume()
          socket.write('POST /models HTTP/1.1\r\nhost: x\r\n')
          let connectedAt = Number.NaN
          socket.once('connect', () => {
            connectedAt = performance.now()
          })
          lifetimes.push(closed(socket).then(() => performance.now() - connectedAt))
          return socket
        })
        // one line per socket every half second, a tenth of the sockets at a time, so as not to delay the timed caller
        let turn = 0
        const drip = setInterval(() => {
          turn = (turn + 1) % 10
          for (let at = turn; at < count; at += 10) {
            const socket = sockets[at]
            if (socket && !socket.destroyed) socket.write('x-slow: 1\r\n')
          }
        }, 50)
        const all = Promise.all(lifetimes).then((times) =>
          Math.max(...times.filter((time) => !Number.isNaN(time))),
        )
        // by now they are accepted: this measures open connections, not the rush of connecting
        await wait(500)
        attacked.push(await askMany(kind === 'naive' ? 1 : REQUESTS))
        const tookMs = await Promise.race([all, wait(kind === 'naive' ? LIMIT_MS + 2000 : 5 * LIMIT_MS)])
        clearInterval(drip)
        for (const socket of sockets) socket.destroy()
        if (kind === 'naive') expect(tookMs).toBeUndefined()
        else {
          console.log(
            `F5: the last of ${count} connections was cut off after ${tookMs?.toFixed(0)} ms of ${LIMIT_MS}`,
          )
          expect(tookMs).toBeLessThan(GAUNTLET_SCALE >= 1 ? LIMIT_MS + 1000 : 5 * LIMIT_MS)
          tally.count += count
        }
      }
      const [calmMs, attackedMs] = [percentile(calm, 0.5), percentile(attacked, 0.5)]
      console.log(
        `F5 ${kind}: p${100 * SHARE} to first byte ${calmMs.toFixed(1)} → ${attackedMs.toFixed(1)} ms`,
      )
      // timers may be off by a millisecond; scaled runs are noisier
      if (kind === 'miner')
        expect(attackedMs).toBeLessThan(GAUNTLET_SCALE >= 1 ? calmMs * 1.2 + 1 : calmMs * 3 + 10)
    }
  })
})
