import { isDeepStrictEqual } from 'node:util'
import { ResponseParser } from '../../src/routing/response-parser.js'
import { readWithLlhttp, type Verdict } from './llhttp.js'
import type { MutatedAnswer } from './mutated-answers.js'

type OwnVerdict =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly isReusable: boolean
    }
  | { readonly kind: 'error'; readonly reason: string }

/** A kind of answer that llhttp accepts and our parser refuses on purpose. */
interface Stricter {
  /** What is refused, and why. */
  readonly why: string
  readonly error: RegExp
  /** One character per byte. */
  readonly applies: (wire: string) => boolean
}

const HEAD = /response head/

/** One character per byte in all patterns. */
const matches = (pattern: RegExp) => (wire: string) => pattern.test(wire)

/** Model servers send none of these; each would let two programs on the way read the same bytes differently. */
const STRICTER: readonly Stricter[] = [
  {
    why: 'another protocol or version would have other rules for what follows',
    error: HEAD,
    applies: matches(/HTTP\/(0\.9|2\.0) |(RTSP|ICE)\/\d\.\d /),
  },
  {
    why: 'a status outside 100 to 599 has no meaning that a caller could act on',
    error: HEAD,
    applies: matches(/HTTP\/1\.[01] [06-9]\d\d/),
  },
  {
    why: 'RFC 9112 lets servers, not clients, skip empty lines before a message',
    error: HEAD,
    applies: matches(/(^|\n)[\r\n]+HTTP\//),
  },
  {
    why: 'in RFC 9112 a carriage return alone does not end a line',
    error: /response head|before the response ended/,
    applies: matches(/\r(?!\n)/),
  },
  {
    why: 'RFC 9112 allows no control characters in the reason phrase',
    error: HEAD,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
    applies: matches(/HTTP\/1\.[01] \d{3}[^\r\n]*[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/),
  },
  {
    why: 'a transfer coding other than exactly one "chunked" leaves the body without a certain end',
    error: HEAD,
    applies: (wire) =>
      [...wire.matchAll(/transfer-encoding:([^\r\n]*)/gi)].some(
        ([, value = '']) => !/^[ \t]*chunked$/i.test(value),
      ) || (wire.match(/transfer-encoding:/gi) ?? []).length > 1,
  },
  {
    why: 'a length of more than 15 digits is not a number that JavaScript holds exactly',
    error: HEAD,
    applies: matches(/content-length:[ \t]*\d{16}/i),
  },
  {
    why: 'the limit of 16 KiB covers the whole head, with its separators and status line, not only names and values',
    error: HEAD,
    applies: (wire) => wire.length > 16_000,
  },
  {
    why: 'a chunk size of more than seven digits promises 256 MiB or pads with zeros',
    error: /chunk size/,
    applies: matches(/[\da-f]{8}/i),
  },
  {
    why: 'quoted values and missing names of chunk extensions are not parsed',
    error: /chunk extension/,
    applies: matches(/;=|="/),
  },
  {
    why: 'extensions and trailers of one answer have at most 16 KiB',
    error: /extensions or trailers too long/,
    applies: (wire) => wire.length > 16_000,
  },
  {
    why: 'RFC 9110 forbids a trailer that says how the body is framed',
    error: /invalid trailer/,
    applies: matches(/\n(transfer-encoding|content-length):/i),
  },
]

/** Answers after which our parser closes a connection that llhttp keeps; a new connection is always safe. */
const CLOSED: readonly Omit<Stricter, 'error'>[] = [
  {
    why: 'HTTP/1.0 with "close" beside "keep-alive"',
    applies: (wire) => wire.includes('HTTP/1.0 ') && /connection:.*close/i.test(wire),
  },
  { why: 'the option "close" beside a tab', applies: matches(/connection:.*(\tclose|close[ ]*\t)/i) },
]

/** Feeds the parts as the connection does: nothing after the end belongs to the answer, and then the server closes. */
function readParts(parts: readonly Buffer[]): OwnVerdict {
  const read = { status: 0, headers: {}, body: '' }
  const parser = new ResponseParser({
    onHead: ({ status, callerHeaders }) => Object.assign(read, { status, headers: callerHeaders }),
    onBytes: (bytes) => {
      read.body += bytes.toString('latin1')
    },
  })
  let isDone = false
  let hasSurplus = false
  try {
    for (const part of parts) {
      if (isDone) hasSurplus ||= part.length > 0
      else if (part.length > 0) isDone = parser.receive(Buffer.from(part))
    }
    if (!isDone) parser.end()
    return { kind: 'answer', ...read, isReusable: isDone && !hasSurplus && parser.isReusable }
  } catch (error) {
    return { kind: 'error', reason: error instanceof Error ? error.message : String(error) }
  }
}

/** How the two parsers disagree about an answer, unless the difference is listed above; undefined when they agree. */
export function findDisagreement({ wire, parts }: MutatedAnswer): string | undefined {
  const ours = readParts(parts)
  const whole = readParts([wire])
  if (!isDeepStrictEqual(ours, whole) && (ours.kind === 'answer' || whole.kind === 'answer'))
    return `cut: ${JSON.stringify(ours)}, whole: ${JSON.stringify(whole)}`
  const theirs = readWithLlhttp(wire)
  if (ours.kind === 'error') return theirs.kind === 'error' ? undefined : explainRefusal(wire, ours.reason)
  if (theirs.kind === 'error') return `ours is laxer: llhttp refuses it (${theirs.reason})`
  return compareAnswers(ours, theirs, wire.toString('latin1'))
}

function explainRefusal(wire: Buffer, reason: string): string | undefined {
  const text = wire.toString('latin1')
  const isListed = STRICTER.some(({ error, applies }) => error.test(reason) && applies(text))
  return isListed ? undefined : `ours refuses what llhttp accepts, for no listed reason: ${reason}`
}

const CALLER_HEADERS = ['content-type', 'content-length', 'content-encoding', 'cache-control', 'retry-after']

function compareAnswers(
  ours: Extract<OwnVerdict, { kind: 'answer' }>,
  theirs: Extract<Verdict, { kind: 'answer' }>,
  wire: string,
): string | undefined {
  if (ours.status !== theirs.status) return `ours has status ${ours.status}, llhttp ${theirs.status}`
  if (ours.body !== theirs.body)
    return `ours has body ${JSON.stringify(ours.body)}, llhttp ${JSON.stringify(theirs.body)}`
  const kept = theirs.headers.filter(([name]) => CALLER_HEADERS.includes(name))
  const headers = Object.fromEntries(
    kept.map(([name, value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, '')]),
  )
  if (!isDeepStrictEqual(ours.headers, headers))
    return `ours has headers ${JSON.stringify(ours.headers)}, llhttp ${JSON.stringify(headers)}`
  if (ours.isReusable && !theirs.isReusable) return 'ours keeps a connection that llhttp closes'
  if (theirs.isReusable && !ours.isReusable && !CLOSED.some(({ applies }) => applies(wire)))
    return 'ours closes a connection that llhttp keeps, for no listed reason'
  return undefined
}
