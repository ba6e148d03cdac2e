/** The head of a model server's response: the parts we use. */
export interface ResponseHead {
  readonly status: number
  /** Headers that may reach the caller. */
  readonly callerHeaders: Readonly<Record<string, string>>
  /** How the body is delimited. */
  readonly body:
    | { readonly kind: 'none' | 'chunked' | 'until-close' }
    | { readonly kind: 'length'; readonly bytes: number }
  /** The connection may carry another request afterwards. */
  readonly isReusable: boolean
  /** How long the server keeps an idle connection open, if it says so. */
  readonly idleTimeoutMs: number | undefined
}

const CALLER_HEADERS = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'cache-control',
  'retry-after',
])

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const HEADER_LINE = /^([!#$%&'*+.^_`|~\w-]+):([\t\x20-\x7e\x80-\xff]*)$/

/** A header, its name in lower case; undefined when the line is malformed. */
export function readHeaderLine(line: string): { readonly name: string; readonly value: string } | undefined {
  const [, name, value = ''] = HEADER_LINE.exec(line) ?? []
  return name === undefined ? undefined : { name: name.toLowerCase(), value: trimStart(value) }
}

/** Headers that say where the body ends; they are valid in a head only. */
export function isFraming(name: string): boolean {
  return name === 'content-length' || name === 'transfer-encoding'
}

/**
 * Strict on purpose (RFC 9112): a head that two parsers could read differently is rejected.
 *
 * @param text without the empty line that ends it.
 * @returns undefined when the head is malformed.
 */
export function readResponseHead(text: string): ResponseHead | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const [, minor, code] = STATUS_LINE.exec(first) ?? []
  if (code === undefined) return undefined
  const callerHeaders: Record<string, string> = {}
  const framing: Framing = { staysOpen: minor === '1' }
  for (const line of lines) {
    const header = readHeaderLine(line)
    if (header === undefined || !applyHeader(framing, header.name, header.value)) return undefined
    if (CALLER_HEADERS.has(header.name)) callerHeaders[header.name] = trimEnd(header.value)
  }
  const status = Number(code)
  const body = bodyFraming(status, framing)
  if (body === undefined) return undefined
  const isReusable = framing.staysOpen && !framing.closes && body.kind !== 'until-close'
  return { status, callerHeaders, body, isReusable, idleTimeoutMs: framing.idleTimeoutMs }
}

interface Framing {
  length?: number
  isChunked?: boolean
  staysOpen: boolean
  closes?: boolean
  idleTimeoutMs?: number
}

/** Updates the framing by one header. @returns false when the header is invalid or repeated. */
function applyHeader(framing: Framing, name: string, value: string): boolean {
  if (name === 'content-length') {
    if (!/^\d{1,15} *$/.test(value) || framing.length !== undefined) return false
    framing.length = Number(value)
  } else if (name === 'transfer-encoding') {
    if (value.toLowerCase() !== 'chunked' || framing.isChunked) return false
    framing.isChunked = true
  } else if (name === 'connection') {
    const options = value
      .toLowerCase()
      .split(',')
      .map((option) => trimEnd(trimStart(option)))
    if (options.includes('close')) framing.closes = true
    if (options.includes('keep-alive')) framing.staysOpen = true
  } else if (name === 'keep-alive') {
    const seconds = /timeout=(\d{1,6})/i.exec(value)?.[1]
    if (seconds !== undefined) framing.idleTimeoutMs = Number(seconds) * 1000
  }
  return true
}

function bodyFraming(status: number, { length, isChunked }: Framing): ResponseHead['body'] | undefined {
  // Both at once is how requests are smuggled; no honest server sends it.
  if (isChunked && length !== undefined) return undefined
  if (status < 200 || status === 204 || status === 304) return { kind: 'none' }
  if (isChunked) return { kind: 'chunked' }
  return length === undefined ? { kind: 'until-close' } : { kind: 'length', bytes: length }
}

/** Removes only spaces and tabs, as HTTP does: `trim` also removes bytes that other parsers keep. */
function trimStart(text: string): string {
  let at = 0
  while (isBlank(text.charCodeAt(at))) at++
  return text.slice(at)
}

function trimEnd(text: string): string {
  let end = text.length
  while (isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(0, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
