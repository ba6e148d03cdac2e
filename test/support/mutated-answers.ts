import fc from 'fast-check'

/** Bytes that a server sends, and where the network cuts them. */
export interface MutatedAnswer {
  readonly wire: Buffer
  readonly parts: readonly Buffer[]
}

const often = <T>(weight: number, usual: T, others: readonly T[]) =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

const lineEnd = often(60, '\r\n', ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', ' \r\n', '\0\r\n', ''])

const statusLine = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 429 Too Many Requests') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['HTTP/1.0 200 OK', 'HTTP/1.1 204 No Content', 'HTTP/1.1 304 Not Modified', 'HTTP/1.1 500 \xe9'],
      ...['HTTP/1.1 101 Switching Protocols', 'HTTP/1.1 150 Odd', 'HTTP/1.1 600 Odd', 'HTTP/1.1 099 Odd'],
      ...['HTTP/2.0 200 OK', 'HTTP/0.9 200 OK', 'HTTP/1.2 200 OK', 'HTTP/11 200 OK', 'http/1.1 200 OK'],
      ...['HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.1  200 OK', 'HTTP/1.1 20 OK', 'HTTP/1.1 2000 OK'],
      ...['HTTP/1.1 200\tOK', 'HTTP/1.1 200 O\0K', 'RTSP/1.0 200 OK', 'ICE/1.0 200 OK', ' HTTP/1.1 200 OK'],
    ),
  },
)

const plainHeader = fc.constantFrom(
  ...['content-type: text/event-stream', 'Content-Type:application/json', 'server: uvicorn', 'x:', 'x: \xe9'],
  ...['cache-control:\tno-store \t', 'retry-after: 5', 'keep-alive: timeout=5', 'connection: keep-alive'],
  ...['Connection: close', 'connection: keep-alive, close', 'connection: closed', 'connection: Upgrade'],
  ...[
    'connection: x-keep-alive',
    'connection: not-close',
    'upgrade: websocket',
    'content-encoding: identity',
  ],
)

const oddHeader = fc.constantFrom(
  ...[
    ' folded: line',
    '\tfolded',
    'x : y',
    ': y',
    'no colon',
    'x: a\0b',
    'x: a\x7fb',
    'x\xa0: y',
    'x(y): z',
    '',
  ],
  ...[
    'content-length: 3',
    'content-length: 03',
    'content-length: +3',
    'content-length: -3',
    'content-length: 0x3',
  ],
  ...[
    'content-length: 3, 3',
    'content-length: 3 3',
    'content-length:',
    'content-length: 3\xa0',
    'content-length: 3\x0b',
  ],
  ...[
    'content-length: 9007199254740993',
    'content-length: 18446744073709551616',
    'content-length: 0000000000000003',
    'content-length: 3 \t',
  ],
  ...['transfer-encoding: chunked', 'transfer-encoding: CHUNKED', 'transfer-encoding: chunked\xa0'],
  ...['transfer-encoding: gzip, chunked', 'transfer-encoding: chunked, gzip', 'transfer-encoding: identity'],
  ...[
    'transfer-encoding:',
    'transfer-encoding: xchunked',
    'transfer-encoding: chunked;q=1',
    'transfer-encoding: gzip',
  ],
  ...[`x: ${'y'.repeat(17_000)}`, `x: ${'y'.repeat(16_300)}`, `${'y'.repeat(9000)}: ${'z'.repeat(7400)}`],
)

const header = fc.oneof({ weight: 8, arbitrary: plainHeader }, { weight: 1, arbitrary: oddHeader })

const bodyText = fc.oneof(
  fc.constantFrom('', 'hello', 'data: {}\n\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'),
  fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
    maxLength: 40,
  }),
)

const extension = often(12, '', [
  ...[
    ';a',
    ';a=b',
    ';a=b;c',
    ';',
    ' ',
    '\t',
    ' ;a',
    ';a="b"',
    ';a="b;c',
    ';a=b c',
    ';\0',
    ';a\n',
    ';=',
    ';;',
    ';a=',
  ],
  ...[`;${'x'.repeat(17_000)}`, ';a=\xe9', ';a ', '; a', ';a=b\r'],
])

const sizeText = (length: number) =>
  fc
    .tuple(
      often(16, '', ['0', '00000', '0000000', '+', '-', '0x', ' ', '\t', 'g']),
      often(20, length.toString(16), [
        ...[length.toString(16).toUpperCase(), (length + 1).toString(16), 'fffffff', 'ffffffff', ''],
        ...['ffffffffffffffff', '10000000000000000', '80000000', String(length)],
      ]),
    )
    .map((parts) => parts.join(''))

const chunk = bodyText.chain((text) =>
  fc.tuple(sizeText(text.length), extension, lineEnd, lineEnd).map(([size, ext, first, second]) => {
    const isLast = text.length === 0
    return isLast ? '' : `${size}${ext}${first}${text}${second}`
  }),
)

const trailer = often(10, '', [
  ...[
    'x: 1\r\n',
    'x: 1\r\ny: 2\r\n',
    'no colon\r\n',
    'x: 1\n',
    ' folded\r\n',
    'x : 1\r\n',
    'x: a\0b\r\n',
    'x\n\r\n',
  ],
  ...[
    'content-length: 3\r\n',
    'transfer-encoding: chunked\r\n',
    'connection: close\r\n',
    ': 1\r\n',
    'x:\r\n',
  ],
  ...[`x: ${'y'.repeat(17_000)}\r\n`, '\rx', '\n'],
])

const framing = fc.oneof(
  fc
    .tuple(
      fc.array(chunk, { maxLength: 4 }),
      often(20, '0', ['00', '000000000', '-0', '']),
      extension,
      lineEnd,
      trailer,
      lineEnd,
    )
    .map(([chunks, size, ext, end, last, empty]) => ({
      line: 'transfer-encoding: chunked',
      body: `${chunks.join('')}${size}${ext}${end}${last}${empty}`,
    })),
  fc
    .tuple(bodyText, often(12, 0, [1, -1, 1000]))
    .map(([body, off]) => ({ line: `content-length: ${body.length + off}`, body })),
  bodyText.map((body) => ({ line: undefined, body })),
)

const interim = often(10, '', [
  ...[
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n',
    '\r\n',
    '\n',
    '\r\n\r\n',
  ],
  ...[
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n',
    'HTTP/1.1 100 Continue\r\ncontent-length: 2\r\n\r\n',
  ],
])

const surplus = often(8, '', ['x', '\r\n', '\0', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'])

const answer = fc
  .record({
    interim,
    statusLine,
    headers: fc.array(fc.tuple(header, lineEnd), { maxLength: 4 }),
    framing,
    at: fc.nat(4),
    ends: fc.tuple(lineEnd, lineEnd, lineEnd),
    surplus,
  })
  .map(({ headers, ends: [afterStatus, afterFraming, empty], at, ...one }) => {
    const lines = headers.map((parts) => parts.join(''))
    if (one.framing.line !== undefined)
      lines.splice(at % (lines.length + 1), 0, `${one.framing.line}${afterFraming}`)
    const head = `${one.interim}${one.statusLine}${afterStatus}${lines.join('')}${empty}`
    return `${head}${one.framing.body}${one.surplus}`
  })

const piece = fc.constantFrom(
  ...['\0', '\r', '\n', '\r\n', '\r\n\r\n', ' ', '\t', ':', ';', ',', '=', '"', '0', '1', 'f', 'x', '-', '+'],
  ...['\x0b', '\x7f', '\x80', '\xa0', '\xff', 'ffffffffffffffff', 'close', 'chunked', 'HTTP/1.1 '],
  ...['content-length: 3\r\n', 'transfer-encoding: chunked\r\n', 'connection: close\r\n', '0\r\n\r\n'],
)

type Mutation = (text: string) => string

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), piece).map(
    ([at, inserted]): Mutation =>
      (text) =>
        splice(text, at, 0, inserted),
  ),
  fc.tuple(fc.nat(), piece).map(
    ([at, put]): Mutation =>
      (text) =>
        splice(text, at, put.length, put),
  ),
  fc.tuple(fc.nat(), fc.nat(8)).map(
    ([at, count]): Mutation =>
      (text) =>
        splice(text, at, count, ''),
  ),
  fc.nat().map(
    (at): Mutation =>
      (text) =>
        text.slice(0, at % (text.length + 1)),
  ),
  fc.tuple(fc.nat(), fc.nat(40)).map(
    ([at, count]): Mutation =>
      (text) => {
        const from = at % (text.length + 1)
        return splice(text, from, 0, text.slice(from, from + count))
      },
  ),
  fc.nat().map(
    (which): Mutation =>
      (text) => {
        const lines = text.split('\r\n')
        const at = which % lines.length
        return lines.toSpliced(at, 0, lines[at] ?? '').join('\r\n')
      },
  ),
)

function splice(text: string, at: number, count: number, inserted: string): string {
  const from = at % (text.length + 1)
  return text.slice(0, from) + inserted + text.slice(from + count)
}

/** Answers of a server to one request: most valid or nearly so, cut at any byte. */
export const mutatedAnswer: fc.Arbitrary<MutatedAnswer> = fc
  .tuple(answer, fc.array(mutation, { maxLength: 2 }), fc.array(fc.nat(), { maxLength: 6 }))
  .map(([text, mutations, cuts]) => {
    const wire = Buffer.from(
      mutations.reduce((mutated, mutate) => mutate(mutated), text),
      'latin1',
    )
    return { wire, parts: cut(wire, cuts) }
  })

function cut(wire: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set(cuts.map((at) => at % (wire.length + 1)))].sort((a, b) => a - b)
  return [...ends, wire.length].map((end, index) => wire.subarray(ends[index - 1] ?? 0, end))
}
