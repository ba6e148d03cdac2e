import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { sse } from '../support/fake-vllm.js'
import { createArena, openStream, STREAM_BODY } from './arena.js'
import { GAUNTLET_SCALE, scaled } from './scale.js'
import { startTally } from './tally.js'
import { closed, inParallel, percentile, sendRaw, signedPost, statusesOf, wait } from './victim.js'

/** Number of open files and sockets of a process. */
const fdsOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

/** Time for a model server to see the abort; generous in a scaled run, where other tests run at the same time. */
const ABORT_MS = GAUNTLET_SCALE >= 1 ? 2000 : 20_000

describe('gauntlet: the miner’s streams', () => {
  const arena = createArena()
  afterEach(() => arena.close())

  it('F7: aborts the upstream request when the caller disconnects, at any moment', async ({ task }) => {
    const tally = startTally(task, { fault: 'F7', kind: 'callers that leave', full: 1000 })
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await arena.start(kind)
      vllm.answer = ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const timer = setInterval(() => response.write(sse('word')), 10)
        response.on('close', () => clearInterval(timer))
      }
      const before = fdsOf(victim.pid)
      const delays: number[] = []
      let notAborted = 0
      await inParallel(kind === 'naive' ? 10 : scaled(1000, 50), 20, async (index) => {
        const arrived = vllm.received.length
        const socket = openStream(victim.port)
        socket.resume()
        if (index % 4 === 0) await vllm.arrived(arrived + 1)
        else await wait((index * 37) % 150)
        const mine = vllm.received.slice(arrived)
        socket.destroy()
        const leftAt = performance.now()
        if (index % 4 !== 0 || mine[0] === undefined) return
        const end = await Promise.race([
          mine[0].closed.then(() => 'closed'),
          wait(kind === 'naive' ? 1000 : ABORT_MS),
        ])
        if (end === undefined) notAborted++
        else delays.push(performance.now() - leftAt)
      })
      const alive = () => vllm.received.filter(({ response }) => !response.destroyed).length
      if (kind === 'naive') {
        await wait(1000)
        expect(alive()).toBeGreaterThan(0)
      } else {
        await expect.poll(() => ({ notAborted, alive: alive() })).toEqual({ notAborted: 0, alive: 0 })
        const p99Ms = percentile(delays, 0.99)
        console.log(
          `F7: p99 ${p99Ms.toFixed(0)} ms to the abort, ${fdsOf(victim.pid) - before} more open files afterwards`,
        )
        expect(p99Ms).toBeLessThan(GAUNTLET_SCALE >= 1 ? 250 : ABORT_MS)
        // health checks may have opened some connections to the model server; callers must leave none
        await expect.poll(() => fdsOf(victim.pid)).toBeLessThanOrEqual(before + 5)
        tally.count = scaled(tally.full, 50)
      }
    }
  })

  it('F8: on SIGTERM, streams finish, new requests get 503, stalled streams are cut off, and it exits with 0', async ({
    task,
  }) => {
    const tally = startTally(task, { fault: 'F8', kind: 'streams at SIGTERM', full: 100 })
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await arena.start(kind, { 'drain-timeout': 6 })
      const count = kind === 'naive' ? 5 : scaled(100, 10)
      vllm.answer = ({ response }) => {
        const isStalled = vllm.received.length > count
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse('first'))
        if (!isStalled) setTimeout(() => response.end(sse('[DONE]')), 3000)
      }
      const texts: string[] = []
      const read = (index: number) => {
        const socket = openStream(victim.port)
        texts[index] = ''
        socket.on('data', (data) => {
          texts[index] += data.toString('latin1')
          if (texts[index]?.endsWith('0\r\n\r\n')) socket.end()
        })
        return closed(socket)
      }
      const streams = Array.from({ length: count }, (_, index) => read(index))
      await vllm.arrived(count)
      const stalled = read(count)
      await vllm.arrived(count + 1)
      while (texts.some((text) => !text.includes('first'))) await wait(20)
      victim.kill('SIGTERM')
      if (kind === 'miner') await expect.poll(() => victim.log.join('\n')).toContain('miner-draining')
      const late = signedPost(STREAM_BODY)
      const statuses = await sendRaw(victim.port, late.head + late.body)
      await Promise.all(streams)
      const whole = texts.slice(0, count).filter((text) => text.includes('[DONE]')).length
      if (kind === 'naive') {
        expect(whole).toBe(0)
        continue
      }
      expect(statuses).toEqual([503])
      expect(whole).toBe(count)
      await stalled
      expect(texts[count]).not.toContain('[DONE]')
      expect(await victim.exit).toEqual({ code: 0, signal: null })
      expect(statusesOf(texts.join('')).every((status) => status === 200)).toBe(true)
      tally.count = count
    }
  })
})
