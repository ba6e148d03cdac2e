import { isJsonObject, type JsonObject, parseJson } from '../kernel/index.js'

/** What routing reads from a body; the rest is up to the upstream. */
export interface RequestFacts {
  readonly model: string
  readonly isStreamed: boolean
}

/** Undefined when the body is not a JSON object with a model. Of duplicate keys the last one counts, as in Python. */
export function readRequest(body: Buffer): RequestFacts | undefined {
  const json = parseBody(body)
  return typeof json?.model === 'string' ? { model: json.model, isStreamed: json.stream === true } : undefined
}

/** The JSON object of a body; undefined when it is something else. Bound its nesting first: `exceedsJsonBounds`. */
export function parseBody(body: Buffer): JsonObject | undefined {
  const json = parseJson(body.toString('utf8'))
  return isJsonObject(json) ? json : undefined
}

/** Members of a request body to set. */
export interface BodyEdit {
  /** Name of the model at the upstream. */
  readonly model?: string
  /** Add the model to a body that names none. */
  readonly addModel?: boolean
  /** Request `token_id:` logprobs. */
  readonly addTokenIds?: boolean
}

const TOKEN_IDS = 'return_tokens_as_token_ids'

/** Longest key that can spell one of ours: each character may be written as `\uXXXX`. */
const MAX_KEY_BYTES = TOKEN_IDS.length * 6 + 2

/** Where the values are that an edit may replace, found in one pass over the bytes. */
export interface BodyOutline {
  /** Position after the opening brace. */
  readonly start: number
  readonly isEmpty: boolean
  readonly model: readonly Span[]
  readonly tokenIds: readonly Span[]
}

interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Sets top-level members in the bytes of a JSON object and changes no other byte: numbers keep their digits, members their
 * order. The body must be valid JSON.
 *
 * @param outline of this body, if it is known already.
 */
export function editBody(body: Buffer, edit: BodyEdit, outline: BodyOutline = outlineBody(body)): Buffer {
  const { start, isEmpty } = outline
  const changes: (Span & { readonly value: string })[] = []
  const added: string[] = []
  if (edit.model !== undefined) {
    const value = JSON.stringify(edit.model)
    changes.push(...outline.model.map((span) => ({ ...span, value })))
    if (edit.addModel && outline.model.length === 0) added.push(`"model":${value}`)
  }
  if (edit.addTokenIds) {
    changes.push(...outline.tokenIds.map((span) => ({ ...span, value: 'true' })))
    if (outline.tokenIds.length === 0) added.push(`"${TOKEN_IDS}":true`)
  }
  changes.sort((one, other) => one.from - other.from)
  const parts = [body.subarray(0, start)]
  if (added.length > 0) parts.push(Buffer.from(`${added.join()}${isEmpty ? '' : ','}`))
  let at = start
  for (const { from, to, value } of changes) {
    parts.push(body.subarray(at, from), Buffer.from(value))
    at = to
  }
  return Buffer.concat([...parts, body.subarray(at)])
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/** The body must be a JSON object. */
export function outlineBody(body: Buffer): BodyOutline {
  const [model, tokenIds]: [Span[], Span[]] = [[], []]
  const start = body.indexOf(OPEN_OBJECT) + 1
  let isEmpty = true
  let at = start
  for (;;) {
    at = skipSpace(body, at)
    if (body[at] !== QUOTE) return { start, isEmpty, model, tokenIds }
    isEmpty = false
    const keyEnd = endOfString(body, at)
    const key = readKey(body.subarray(at, keyEnd))
    const from = skipSpace(body, skipSpace(body, keyEnd) + 1)
    const to = endOfValue(body, from)
    if (key === 'model') model.push({ from, to })
    else if (key === TOKEN_IDS) tokenIds.push({ from, to })
    at = skipSpace(body, to)
    if (body[at] !== COMMA) return { start, isEmpty, model, tokenIds }
    at++
  }
}

/** Undefined for a key too long to be one of ours. */
function readKey(quoted: Buffer): unknown {
  return quoted.length > MAX_KEY_BYTES ? undefined : parseJson(quoted.toString('utf8'))
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function skipSpace(body: Buffer, at: number): number {
  let next = at
  while (isSpace(body[next])) next++
  return next
}

/** The position after the string that begins here. */
function endOfString(body: Buffer, at: number): number {
  let next = at + 1
  while (next < body.length && body[next] !== QUOTE) next += body[next] === BACKSLASH ? 2 : 1
  return next + 1
}

/** The position after the value that begins here. */
function endOfValue(body: Buffer, at: number): number {
  let depth = 0
  let next = at
  while (next < body.length) {
    const byte = body[next]
    if (byte === QUOTE) {
      next = endOfString(body, next)
      if (depth === 0) return next
      continue
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return next
      depth--
      if (depth === 0) return next + 1
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return next
    next++
  }
  return next
}
