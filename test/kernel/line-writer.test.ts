import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineWriter, type LineWriterOptions } from '../../src/kernel/line-writer.js'
import type { Output } from '../../src/kernel/output.js'
import { ManualClock } from '../support/manual-clock.js'

/** A reader that takes a number of bytes and then stands still; undefined means that writing fails. */
class Reader {
  text = ''
  room: number | undefined = Number.POSITIVE_INFINITY
  readonly clock = new ManualClock()

  writer(options: Partial<LineWriterOptions> = {}): LineWriter {
    const writer = new LineWriter(this, { clock: this.clock, ...options })
    writer.describeLoss((lines) => `lost ${lines} lines\n`)
    return writer
  }

  writeNow(bytes: Uint8Array): number {
    if (this.room === undefined) throw new Error('no space')
    const count = Math.min(this.room, bytes.length)
    this.text += Buffer.from(bytes.subarray(0, count)).toString()
    this.room -= count
    return count
  }
}

const still = (reader: Reader) => {
  reader.room = 0
}
const back = async (reader: Reader) => {
  reader.room = Number.POSITIVE_INFINITY
  await reader.clock.advance(20)
}

describe('a writer of lines', () => {
  it('writes at once while the reader takes everything', () => {
    const reader = new Reader()
    reader.writer().write('one\n')
    expect(reader.text).toBe('one\n')
  })

  it('keeps what the reader does not take, the rest of a line included', async () => {
    const reader = new Reader()
    const writer = reader.writer()
    reader.room = 2
    writer.write('one\n')
    writer.write('two\n')
    expect(reader.text).toBe('on')
    await back(reader)
    expect(reader.text).toBe('one\ntwo\n')
    expect(writer.lost).toBe(0)
  })

  it('loses the oldest lines beyond the limit and reports their number in their place', async () => {
    const reader = new Reader()
    const writer = reader.writer({ maxBytes: 8 })
    still(reader)
    for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) writer.write(line)
    await back(reader)
    // The first line was already handed over when the reader stopped.
    expect(reader.text).toBe('one\nlost 2 lines\nfour\n')
    expect(writer.lost).toBe(2)
  })

  it('notices within a burst that the reader is back', () => {
    const reader = new Reader()
    const writer = reader.writer({ maxBytes: 8 })
    still(reader)
    for (const line of ['one\n', 'two\n', 'three\n']) writer.write(line)
    reader.room = Number.POSITIVE_INFINITY
    writer.write('four\n')
    expect(reader.text).toContain('four\n')
  })

  it('reports lines that failed once writing succeeds, and each failure once', () => {
    const reader = new Reader()
    const failures: string[] = []
    const writer = reader.writer({ onFailure: (reason) => failures.push(reason) })
    reader.room = undefined
    for (const line of ['one\n', 'two\n', 'three\n']) writer.write(line)
    reader.room = Number.POSITIVE_INFINITY
    writer.write('four\n')
    expect(reader.text).toBe('lost 3 lines\nfour\n')
    expect({ lost: writer.lost, failures }).toEqual({ lost: 3, failures: ['no space'] })
  })

  it('ends a line that failed half-way before it goes on', () => {
    const reader = new Reader()
    const writer = reader.writer()
    reader.room = 2
    writer.write('one\ntwo\n')
    reader.room = undefined
    writer.flush()
    reader.room = Number.POSITIVE_INFINITY
    writer.write('three\n')
    expect(reader.text).toBe('on\nlost 2 lines\nthree\n')
  })

  it('leaves out frames while lines wait', async () => {
    const reader = new Reader()
    const writer = reader.writer()
    writer.writeIfIdle('[=  ]')
    still(reader)
    writer.write('line\n')
    writer.writeIfIdle('[== ]')
    await back(reader)
    expect(reader.text).toBe('[=  ]line\n')
  })

  it('at exit writes what is left', () => {
    const reader = new Reader()
    const writer = reader.writer()
    still(reader)
    writer.write('one\n')
    writer.write('two\n')
    reader.room = Number.POSITIVE_INFINITY
    writer.flush()
    writer.write('three\n')
    expect(reader.text).toBe('one\ntwo\nthree\n')
  })

  it('leaves a slow disk to another thread, in order, and is settled once everything is written', async () => {
    const reader = new Reader()
    const ends: (() => void)[] = []
    const disk: Output = {
      writeNow: (bytes) => reader.writeNow(bytes),
      writeLater: (bytes) => new Promise((resolve) => ends.push(() => resolve(reader.writeNow(bytes)))),
    }
    const writer = new LineWriter(disk, { clock: reader.clock })
    for (const line of ['one\n', 'two\n', 'three\n']) writer.write(line)
    const settled = writer.settled()
    expect(reader.text).toBe('')
    while (reader.text.length < 14) {
      ends.shift()?.()
      await reader.clock.advance(0)
    }
    await settled
    expect(reader.text).toBe('one\ntwo\nthree\n')
  })

  it('delivers or reports every line, in order, however the reader behaves', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write'), lines: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ kind: fc.constant('room'), bytes: fc.option(fc.nat(40), { nil: undefined }) }),
      fc.record({ kind: fc.constant('wait') }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        const reader = new Reader()
        const writer = reader.writer({ maxBytes: 40 })
        let next = 0
        const write = () => writer.write(`${String(next++).padStart(4, '0')}\n`)
        for (const one of steps) {
          if ('lines' in one) for (let count = 0; count < one.lines; count++) write()
          else if ('bytes' in one) reader.room = one.bytes
          else await reader.clock.advance(20)
        }
        await back(reader)
        write()
        let expected = 0
        // Other rows are what was written of a line when writing failed.
        for (const [, lost, row] of reader.text.matchAll(/^(?:lost (\d+) lines|(\d{4}))$/gm)) {
          if (lost !== undefined) expected += Number(lost)
          else expect(Number(row)).toBe(expected++)
        }
        expect(expected).toBe(next)
      }),
    )
  })
})
