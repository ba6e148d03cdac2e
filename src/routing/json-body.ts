import { parseJson } from '../kernel/index.js'

/** What routing reads from a body; the rest is up to the upstream. */
export interface RequestFacts {
  readonly model: string
  readonly isStreamed: boolean
}

/** Undefined when the body is not a JSON object with a model. Of duplicate keys the last one counts, as in Python. */
export function readRequest(body: Buffer): RequestFacts | undefined {
  const json = parseJson(body.toString('utf8'))
  if (typeof json !== 'object' || json === null || !('model' in json) || typeof json.model !== 'string') {
    return undefined
  }
  return { model: json.model, isStreamed: 'stream' in json && json.stream === true }
}

/** Members of a request body to set. */
export interface BodyEdit {
  /** Name of the model at the upstream. */
  readonly model?: string
  /** Request `token_id:` logprobs. */
  readonly addTokenIds?: boolean
}

const TOKEN_IDS = 'return_tokens_as_token_ids'

interface Member {
  readonly key: string
  /** Position of its value in the text. */
  readonly from: number
  readonly to: number
}

/**
 * Sets top-level members in the text of a JSON object and changes no other byte: numbers keep their digits, members their
 * order. The text must be valid JSON.
 */
export function editBody(body: Buffer, edit: BodyEdit): Buffer {
  const text = body.toString('utf8')
  const members = readMembers(text)
  const changes = new Map<string, string>()
  if (edit.model !== undefined) changes.set('model', JSON.stringify(edit.model))
  if (edit.addTokenIds) changes.set(TOKEN_IDS, 'true')
  let result = ''
  let at = 0
  for (const { key, from, to } of members) {
    const value = changes.get(key)
    if (value === undefined) continue
    result += text.slice(at, from) + value
    at = to
  }
  result += text.slice(at)
  const isMissing = edit.addTokenIds && !members.some(({ key }) => key === TOKEN_IDS)
  if (!isMissing) return Buffer.from(result)
  const open = result.indexOf('{') + 1
  return Buffer.from(
    `${result.slice(0, open)}"${TOKEN_IDS}":true${members.length > 0 ? ',' : ''}${result.slice(open)}`,
  )
}

function readMembers(text: string): Member[] {
  const members: Member[] = []
  let at = text.indexOf('{') + 1
  for (;;) {
    at = skipSpace(text, at)
    if (text[at] !== '"') return members
    const keyEnd = endOfString(text, at)
    const key: unknown = JSON.parse(text.slice(at, keyEnd))
    const from = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const to = endOfValue(text, from)
    members.push({ key: String(key), from, to })
    at = skipSpace(text, to)
    if (text[at] !== ',') return members
    at++
  }
}

function skipSpace(text: string, at: number): number {
  let next = at
  while (next < text.length && ' \t\r\n'.includes(text.charAt(next))) next++
  return next
}

function endOfString(text: string, at: number): number {
  let next = at + 1
  while (next < text.length && text[next] !== '"') next += text[next] === '\\' ? 2 : 1
  return next + 1
}

function endOfValue(text: string, at: number): number {
  let depth = 0
  let next = at
  while (next < text.length) {
    const character = text.charAt(next)
    if (character === '"') {
      next = endOfString(text, next)
      if (depth === 0) return next
      continue
    }
    if ('{['.includes(character)) depth++
    else if ('}]'.includes(character)) {
      if (depth === 0) return next
      depth--
      if (depth === 0) return next + 1
    } else if (depth === 0 && ', \t\r\n'.includes(character)) return next
    next++
  }
  return next
}
