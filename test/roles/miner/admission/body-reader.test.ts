import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createBodyReader } from '../../../../src/roles/miner/admission/body-reader.js'
import { createDeadlines } from '../../../../src/routing/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const MEGABYTE = Buffer.alloc(1 << 20)

function createRig(maxBytes = 4 << 20) {
  const clock = new ManualClock()
  const reader = createBodyReader(clock, createDeadlines(clock, new AbortController().signal), {
    maxBytes,
    timeoutMs: 10_000,
  })
  /** A body of so many megabytes that does not end by itself. */
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

describe('bodies whose signature is not checked yet', () => {
  it('of one address can fill its share only: others are still read, and it is again when bytes are released', async () => {
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

  it('of many addresses share one bound: the body that has been coming for longest makes room', async () => {
    const { send } = createRig()
    const held = Array.from({ length: 3 }, (_, address) => send(`1.1.1.${address}`, 4))
    await turn()
    expect(await send('2.2.2.2', 1).finish()).toMatchObject({ kind: 'read' })
    expect(await held[0]?.end).toEqual({ kind: 'overload' })
    expect(await held[1]?.finish()).toMatchObject({ kind: 'read' })
  })

  it('find no room when all of it holds bodies that are in, until some are checked', async () => {
    const { send, reader } = createRig()
    for (let address = 0; address < 3; address++) {
      expect(await send(`1.1.1.${address}`, 4).finish()).toMatchObject({ kind: 'read' })
    }
    expect(await send('2.2.2.2', 1).finish()).toEqual({ kind: 'overload' })
    expect(reader.makeRoom()).toBe(false)
    reader.release(4 << 20, '1.1.1.0')
    expect(await send('2.2.2.2', 1).finish()).toMatchObject({ kind: 'read' })
  })

  it('of strangers who hold a byte each on hundreds of connections keep nobody out', async () => {
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

  it('give their bytes back when the caller leaves or sends too much', async () => {
    const { send } = createRig()
    for (let round = 0; round < 20; round++) {
      const gone = send('1.1.1.1', 3)
      await turn()
      gone.stream.destroy()
      expect(await gone.end).toEqual({ kind: 'gone' })
      expect(await send('1.1.1.1', 5).end).toEqual({ kind: 'too-large' })
    }
    expect(await send('1.1.1.1', 4).finish()).toMatchObject({ kind: 'read' })
  })

  it('may be as large as the operator allows, even larger than the bounds', async () => {
    const { send } = createRig(30 << 20)
    expect(await send('1.1.1.1', 30).finish()).toMatchObject({ kind: 'read' })
  })
})
