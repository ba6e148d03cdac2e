/** The head of a model server's answer, as far as anybody here needs it. */
export interface ResponseHead {
  readonly status: number
  /** Headers that may reach the caller. */
  readonly passed: Readonly<Record<string, string>>
  /** How the end of the body is told. */
  readonly body:
    | { readonly kind: 'none' | 'chunked' | 'until-close' }
    | { readonly kind: 'length'; readonly bytes: number }
  /** The connection may carry another request afterwards. */
  readonly isKept: boolean
  /** How long the server keeps an idle connection, when it says so. */
  readonly keptMs: number | undefined
}

/** Headers of an answer that reach the caller; everything else stays inside. */
const PASSED = new Set(['content-type', 'content-length', 'content-encoding', 'cache-control', 'retry-after'])

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const HEADER_LINE = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/

/**
 * Strict on purpose (RFC 9112): a head two readers could understand differently is no head.
 *
 * @param text without the empty line that ends it.
 */
export function readResponseHead(text: string): ResponseHead | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const [, minor, code] = STATUS_LINE.exec(first) ?? []
  if (code === undefined) return undefined
  const passed: Record<string, string> = {}
  const said: Framing = { isKept: minor === '1' }
  for (const line of lines) {
    const [, written = '', padded = ''] = HEADER_LINE.exec(line) ?? []
    if (written === '') return undefined
    const name = written.toLowerCase()
    const value = padded.trimEnd()
    if (!hear(said, name, value)) return undefined
    if (PASSED.has(name)) passed[name] = value
  }
  const status = Number(code)
  const { length, isChunked = false, isKept, keptMs } = said
  // Both at once is how requests are smuggled past each other: no server of good will sends it.
  if (isChunked && length !== undefined) return undefined
  const hasNone = status < 200 || status === 204 || status === 304
  if (hasNone) return { status, passed, body: { kind: 'none' }, isKept, keptMs }
  if (isChunked) return { status, passed, body: { kind: 'chunked' }, isKept, keptMs }
  if (length !== undefined) return { status, passed, body: { kind: 'length', bytes: length }, isKept, keptMs }
  return { status, passed, body: { kind: 'until-close' }, isKept: false, keptMs }
}

interface Framing {
  length?: number
  isChunked?: boolean
  isKept: boolean
  keptMs?: number
}

/** Takes what a header says of the framing. @returns false when that is nonsense. */
function hear(said: Framing, name: string, value: string): boolean {
  if (name === 'content-length') {
    if (!/^\d{1,15}$/.test(value) || said.length !== undefined) return false
    said.length = Number(value)
  } else if (name === 'transfer-encoding') {
    if (value.toLowerCase() !== 'chunked' || said.isChunked) return false
    said.isChunked = true
  } else if (name === 'connection') {
    const options = value.toLowerCase()
    if (options.includes('close')) said.isKept = false
    else if (options.includes('keep-alive')) said.isKept = true
  } else if (name === 'keep-alive') {
    const seconds = /timeout=(\d{1,6})/i.exec(value)?.[1]
    if (seconds !== undefined) said.keptMs = Number(seconds) * 1000
  }
  return true
}
