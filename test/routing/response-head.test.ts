import { describe, expect, it } from 'vitest'
import { readResponseHead } from '../../src/routing/response-head.js'

const head = (...lines: string[]) => readResponseHead(['HTTP/1.1 200 OK', ...lines].join('\r\n'))

describe('response head', () => {
  it('keeps only the headers a caller may see', () => {
    const read = head(
      'Content-Type: text/event-stream',
      'server: uvicorn',
      'set-cookie: a=b',
      'Cache-Control:  no-store ',
    )
    expect(read?.callerHeaders).toEqual({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  })

  it('determines how the body is delimited', () => {
    expect(head('content-length: 12')?.body).toEqual({ kind: 'length', bytes: 12 })
    expect(head('transfer-encoding: Chunked')?.body).toEqual({ kind: 'chunked' })
    expect(head()?.body).toEqual({ kind: 'until-close' })
    expect(readResponseHead('HTTP/1.1 204 No Content')?.body).toEqual({ kind: 'none' })
    expect(readResponseHead('HTTP/1.1 100 Continue')?.body).toEqual({ kind: 'none' })
  })

  it('reads whether and how long the connection stays open', () => {
    expect(head('content-length: 0')).toMatchObject({ isReusable: true, idleTimeoutMs: undefined })
    expect(head('content-length: 0', 'connection: close')?.isReusable).toBe(false)
    expect(head('content-length: 0', 'connection: close', 'connection: keep-alive')?.isReusable).toBe(false)
    expect(head('content-length: 0', 'connection: not-close')?.isReusable).toBe(true)
    expect(head()?.isReusable).toBe(false)
    expect(readResponseHead('HTTP/1.0 200 OK\r\ncontent-length: 0')?.isReusable).toBe(false)
    expect(
      readResponseHead('HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive')?.isReusable,
    ).toBe(true)
    expect(head('content-length: 0', 'keep-alive: timeout=5, max=100')?.idleTimeoutMs).toBe(5000)
  })

  it('rejects a head that two parsers could read differently', () => {
    for (const lines of [
      ['content-length: 5', 'content-length: 5'],
      ['content-length: 5', 'transfer-encoding: chunked'],
      ['transfer-encoding: gzip, chunked'],
      ['transfer-encoding: chunked', 'transfer-encoding: chunked'],
      ['content-length: +5'],
      ['content-length: 5, 5'],
      ['content-length: '],
      ['content-length: 5\xa0'],
      ['transfer-encoding: chunked '],
      ['transfer-encoding: chunked\xa0'],
      ['content-type: a', ' folded: b'],
      ['content-type : a'],
      ['no colon'],
      ['content-type: a\nx: b'],
      ['content-type: a\0b'],
      ['content-type: a\rb'],
      [': empty'],
    ])
      expect(head(...lines), lines.join(' | ')).toBeUndefined()
    for (const line of [
      'HTTP/2 200 OK',
      'HTTP/1.1 20 OK',
      'HTTP/1.1 999 OK',
      'HTTP/1.1  200 OK',
      'http/1.1 200 OK',
      'RTSP/1.0 200 OK',
      '',
    ])
      expect(readResponseHead(line), line).toBeUndefined()
  })
})
