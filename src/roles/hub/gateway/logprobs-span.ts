import { parseJson } from '../../../kernel/index.js'

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/**
 * A chunk without its log probabilities: the value of `logprobs` of every choice becomes `null`, every other character stays as
 * the miner sent it.
 *
 * @param json a valid JSON object
 */
export function withoutLogprobs(json: string): string {
  let kept = ''
  let at = 0
  for (const choices of membersOf(json, 0, 'choices')) {
    if (json.charCodeAt(choices.from) !== OPEN_LIST) continue
    for (const choice of itemsOf(json, choices.from)) {
      if (json.charCodeAt(choice.from) !== OPEN_OBJECT) continue
      for (const { from, to } of membersOf(json, choice.from, 'logprobs')) {
        kept += `${json.slice(at, from)}null`
        at = to
      }
    }
  }
  return at === 0 ? json : kept + json.slice(at)
}

interface Span {
  readonly from: number
  readonly to: number
}

/** The values of the members of this name in the object that begins here. */
function* membersOf(json: string, start: number, name: string): Generator<Span, void> {
  for (const key of itemsOf(json, start)) {
    const from = skipSpace(json, skipSpace(json, key.to) + 1)
    const to = endOfValue(json, from)
    if (isName(json.slice(key.from, key.to), name)) yield { from, to }
  }
}

/** A name may be written with escapes. */
function isName(quoted: string, name: string): boolean {
  if (quoted === `"${name}"`) return true
  return quoted.includes('\\') && quoted.length <= 6 * name.length + 2 && parseJson(quoted) === name
}

/** The items of the list, or the names of the object, that begins here. */
function* itemsOf(json: string, start: number): Generator<Span, void> {
  let at = skipSpace(json, skipSpace(json, start) + 1)
  while (at < json.length && !isClosing(json.charCodeAt(at))) {
    const to = endOfValue(json, at)
    yield { from: at, to }
    at = skipSpace(json, to)
    if (json.charCodeAt(at) === COLON) at = skipSpace(json, endOfValue(json, skipSpace(json, at + 1)))
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1)
  }
}

function endOfValue(json: string, start: number): number {
  let depth = 0
  let at = start
  while (at < json.length) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at)
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth++
      at++
    } else if (isClosing(code)) {
      if (depth === 0) return at
      depth--
      at++
    } else if (depth === 0 && (code === COMMA || code === COLON || isSpace(code))) return at
    else {
      at++
      continue
    }
    if (depth === 0) return at
  }
  return at
}

function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at + 1
  }
  return json.length
}

function skipSpace(json: string, start: number): number {
  let at = start
  while (isSpace(json.charCodeAt(at))) at++
  return at
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}

function isClosing(code: number): boolean {
  return code === CLOSE_LIST || code === CLOSE_OBJECT
}
