import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkedBody } from '../../src/routing/chunked-body.js'

const chunkOf = (data: Uint8Array, extension = '') =>
  Buffer.concat([Buffer.from(`${data.length.toString(16)}${extension}\r\n`), data, Buffer.from('\r\n')])

/** Feeds the bytes in pieces, each in its own buffer, since the body overwrites its input. */
function feed(wire: Buffer, cuts: readonly number[]) {
  const body = new ChunkedBody()
  const parts: Buffer[] = []
  let surplus = 0
  const ends = [...new Set(cuts.map((cut) => cut % (wire.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const end of [...ends, wire.length]) {
    const taken = body.unframe(Buffer.from(wire.subarray(from, end)))
    parts.push(Buffer.from(taken.payload))
    surplus += taken.surplus
    from = end
  }
  return { payload: Buffer.concat(parts), surplus, isDone: body.isDone }
}

describe('chunked body', () => {
  it('decodes the same payload however the network splits it, and counts the bytes after the end', () => {
    const data = fc.uint8Array({ minLength: 1, maxLength: 300 })
    const extensions = fc.constantFrom('', ';x=y', ';a', ';a;b=c')
    const chunks = fc.array(fc.tuple(data, extensions), { maxLength: 12 })
    const trailers = fc.constantFrom('', 'x: 1\r\n', 'x: 1\r\nlong: 2\r\n')
    const after = fc.constantFrom('', 'HTTP/1.1 200 OK')
    const cuts = fc.array(fc.nat(), { maxLength: 40 })
    fc.assert(
      fc.property(chunks, trailers, after, cuts, (all, trailer, rest, where) => {
        const wire = Buffer.concat([
          ...all.map(([bytes, extension]) => chunkOf(bytes, extension)),
          Buffer.from(`0\r\n${trailer}\r\n${rest}`),
        ])
        const { payload, surplus, isDone } = feed(wire, where)
        expect(payload).toEqual(Buffer.concat(all.map(([bytes]) => bytes)))
        expect({ surplus, isDone }).toEqual({ surplus: rest.length, isDone: true })
      }),
    )
  })

  it('is not done before its last byte', () => {
    const wire = Buffer.concat([chunkOf(Buffer.from('hello')), Buffer.from('0\r\nx: 1\r\n\r\n')])
    for (let end = 0; end < wire.length; end++) expect(feed(wire.subarray(0, end), [3]).isDone).toBe(false)
  })

  it('rejects malformed sizes and line ends', () => {
    for (const wire of [
      '\r\n',
      'g\r\n',
      '-1\r\n',
      '0x5\r\nhello\r\n',
      '5\nhello\r\n',
      '5\r\nhello!\r\n',
      '5\r\nhello\n0\r\n\r\n',
      'fffffffff\r\n',
      '5 \r\nhello\r\n',
      '5\t;a\r\nhello\r\n',
      '5;\r\nhello\r\n',
      '5;a="b"\r\nhello\r\n',
      '0\r\nno colon\r\n\r\n',
      '0\r\nx: 1\n\r\n',
      '0\r\ncontent-length: 3\r\n\r\n',
      '0\r\n\rX',
    ])
      expect(() => feed(Buffer.from(wire), []), JSON.stringify(wire)).toThrow()
  })

  it('rejects endless extensions and trailers', () => {
    expect(() => feed(Buffer.from(`5;${'x'.repeat(20_000)}`), [])).toThrow()
    expect(() => feed(Buffer.from(`0\r\n${'x: 1\r\n'.repeat(4000)}`), [])).toThrow()
  })
})
