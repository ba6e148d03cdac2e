import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createRequestReader,
  type RequestReader,
} from '../../../../src/roles/miner/requests/request-reader.js'
import { createRequestPolicy } from '../../../../src/routing/request-policy.js'

const MIB = 1 << 20
const log = pino({ level: 'silent' })
const withMember = (value: string) => Buffer.from(`{"model":"m","messages":${value},"stream":true}`)
const nested = (bytes: number) => withMember('['.repeat(bytes / 2) + ']'.repeat(bytes / 2))

describe('createRequestReader', () => {
  const open: RequestReader[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((reader) => reader.close()))
  })

  function start(maxBodyBytes = 4 * MIB): RequestReader {
    const reader = createRequestReader(log, createRequestPolicy('default'), maxBodyBytes)
    open.push(reader)
    return reader
  }

  it('reads small bodies at once', () => {
    const reader = start()
    expect(reader.read(withMember('[]'))).toEqual({ kind: 'read', model: 'm', isStreamed: true })
    expect(reader.read(Buffer.from('{"model":null}'))).toMatchObject({ model: undefined, isStreamed: false })
    expect(reader.read(Buffer.from('{"model":""}'))).toMatchObject({ model: undefined })
    for (const body of ['', '[]', '"x"', 'null', '{"model":7}', '{"model":"m"', '\ufeff{"model":"m"}'])
      expect(reader.read(Buffer.from(body)), body).toEqual({ kind: 'not-a-request' })
    expect(reader.read(nested(1000))).toEqual({ kind: 'too-complex' })
  })

  it('reads large bodies on a thread, with the same results, and says where an edit would change them', async () => {
    const reader = start()
    const text = `"${'é'.repeat(MIB)}"`
    const large = withMember(`[{"role":"user","content":${text}}]`)
    expect(await reader.read(large)).toMatchObject({
      ...{ kind: 'read', model: 'm', isStreamed: true },
      outline: { start: 1, isEmpty: false, model: [{ from: 9, to: 12 }], tokenIds: [] },
    })
    expect(await reader.read(nested(4 * MIB - 100))).toEqual({ kind: 'too-complex' })
    expect(await reader.read(withMember(`[${'{},'.repeat(MIB)}{}]`))).toEqual({ kind: 'too-complex' })
    expect(await reader.read(Buffer.from(`{"model":"m","priority":1,"prompt":${text}}`))).toMatchObject({
      ...{ kind: 'violation', violation: { member: 'priority' } },
    })
    expect(await reader.read(Buffer.alloc(MIB, 'x'))).toEqual({ kind: 'not-a-request' })
  })

  it('does not hold up its own thread by bodies of the costliest shape', async () => {
    const reader = start()
    await reader.read(withMember(`"${'x'.repeat(MIB)}"`))
    const costly = [nested(4 * MIB - 100), withMember(`[${'{"a":[]},'.repeat(80_000)}0]`)]
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const readings = await Promise.all(
      [...costly, ...costly, ...costly, ...costly].map((body) => reader.read(body)),
    )
    delay.disable()
    expect(readings.map(({ kind }) => kind)).toEqual([0, 1, 2, 3].flatMap(() => ['too-complex', 'read']))
    // Read here, they took 1.5 s; copying them to the thread takes milliseconds.
    expect(delay.max / 1e6).toBeLessThan(250)
  })

  it('refuses more large bodies than it may hold, and takes them again when they have been read', async () => {
    const reader = start()
    const body = withMember(`"${'x'.repeat(4 * MIB - 100)}"`)
    const readings = Array.from({ length: 10 }, () => reader.read(body))
    const kinds = (await Promise.all(readings)).map(({ kind }) => kind)
    expect(kinds).toEqual([...Array(8).fill('read'), 'busy', 'busy'])
    expect(await reader.read(body)).toMatchObject({ kind: 'read' })
  })

  it('takes one body larger than everything it may hold', async () => {
    const reader = start(48 * MIB)
    expect(await reader.read(withMember(`"${'x'.repeat(40 * MIB)}"`))).toMatchObject({ kind: 'read' })
  })

  it('applies a new policy to the bodies that follow', async () => {
    const reader = start()
    const small = Buffer.from('{"model":"m","priority":1}')
    expect(reader.read(small)).toMatchObject({ kind: 'violation' })
    reader.setPolicy(undefined)
    expect(reader.read(small)).toMatchObject({ kind: 'read' })
    expect(await reader.read(withMember(`"${'x'.repeat(MIB)}","priority":1`))).toMatchObject({ kind: 'read' })
  })

  it('answers what is waiting when it closes', async () => {
    const reader = createRequestReader(log, undefined, MIB)
    const reading = reader.read(withMember(`"${'x'.repeat(MIB)}"`))
    await reader.close()
    expect((await reading).kind).toMatch(/^(busy|read)$/)
  })
})
