import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { BodyReader } from '../../../../src/roles/miner/admission/body-reader.js'
import { createDeadlines } from '../../../../src/routing/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const MEGABYTE = Buffer.alloc(1 << 20)

function createRig(maxBytes = 4 << 20) {
  const clock = new ManualClock()
  const deadlines = createDeadlines(clock, new AbortController().signal)
  const reader = new BodyReader({ clock, deadlines, maxBytes, timeoutMs: 10_000 })
  /** Sends a body of this size that ends only on `finish`. */
  const send = (address: string, megabytes: number) => {
    const stream = Object.assign(new PassThrough({ highWaterMark: 64 << 20 }), { headersDistinct: {} })
    const end = reader.read(stream as unknown as IncomingMessage, address)
    for (let count = 0; count < megabytes; count++) stream.write(MEGABYTE)
    const finish = () => {
      stream.end()
      return end
    }
    return { stream, end, finish }
  }
  return { reader, send }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('body reader', () => {
  it('limits the unverified bytes of one address without affecting others, until they are released', async () => {
    const { reader, send } = createRig()
    const held = [send('1.1.1.1', 4), send('1.1.1.1', 4)]
    await turn()
    expect(await send('1.1.1.1', 1).finish()).toEqual({ kind: 'overload' })
    expect(await send('2.2.2.2', 4).finish()).toMatchObject({ kind: 'read' })
    for (const one of held) {
      expect(await one.finish()).toMatchObject({ kind: 'read' })
      reader.release(4 << 20, '1.1.1.1')
    }
    expect(await send('1.1.1.1', 4).finish()).toMatchObject({ kind: 'read' })
  })

  it('gives up the body that has been arriving for longest when the total bound is reached', async () => {
    const { send } = createRig()
    const held = Array.from({ length: 3 }, (_, address) => send(`1.1.1.${address}`, 4))
    await turn()
    expect(await send('2.2.2.2', 1).finish()).toMatchObject({ kind: 'read' })
    expect(await held[0]?.end).toEqual({ kind: 'overload' })
    expect(await held[1]?.finish()).toMatchObject({ kind: 'read' })
  })

  it('refuses a body while all memory holds complete bodies, until one is released', async () => {
    const { send, reader } = createRig()
    for (let address = 0; address < 3; address++) {
      expect(await send(`1.1.1.${address}`, 4).finish()).toMatchObject({ kind: 'read' })
    }
    expect(await send('2.2.2.2', 1).finish()).toEqual({ kind: 'overload' })
    expect(reader.makeRoom()).toBe(false)
    reader.release(4 << 20, '1.1.1.0')
    expect(await send('2.2.2.2', 1).finish()).toMatchObject({ kind: 'read' })
  })

  it('still reads a body while strangers hold one byte each on hundreds of connections', async () => {
    const { send } = createRig()
    const held = Array.from({ length: 768 }, (_, index) => {
      const one = send(`1.1.1.${index % 2}`, 0)
      one.stream.write('{')
      return one
    })
    await turn()
    expect(await send('2.2.2.2', 1).finish()).toMatchObject({ kind: 'read' })
    expect(await held[0]?.end).toEqual({ kind: 'overload' })
    expect(await held.at(-1)?.finish()).toMatchObject({ kind: 'read' })
  })

  it('frees the memory when the caller disconnects or sends too much', async () => {
    const { send } = createRig()
    for (let round = 0; round < 20; round++) {
      const leaving = send('1.1.1.1', 3)
      await turn()
      leaving.stream.destroy()
      expect(await leaving.end).toEqual({ kind: 'caller-left' })
      expect(await send('1.1.1.1', 5).end).toEqual({ kind: 'too-large' })
    }
    expect(await send('1.1.1.1', 4).finish()).toMatchObject({ kind: 'read' })
  })

  it('reads a body as large as the operator allows, even beyond the memory bounds', async () => {
    const { send } = createRig(30 << 20)
    expect(await send('1.1.1.1', 30).finish()).toMatchObject({ kind: 'read' })
  })
})
