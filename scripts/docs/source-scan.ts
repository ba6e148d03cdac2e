/** A call in the source, with the text of its arguments. */
export interface Call {
  readonly name: string
  readonly at: number
  readonly args: readonly string[]
}

const OPEN = '([{'
const CLOSE = ')]}'

/** The end of the string, template, comment or regular expression that starts here; `at` if none does. */
function skipToken(text: string, at: number): number {
  const char = text[at]
  if (char === "'" || char === '"') {
    let end = at + 1
    while (end < text.length && text[end] !== char) end += text[end] === '\\' ? 2 : 1
    return end + 1
  }
  if (char === '`') {
    let end = at + 1
    while (end < text.length && text[end] !== '`') {
      if (text[end] === '\\') end += 2
      else if (text.startsWith('${', end)) end = endOfBracket(text, end + 1)
      else end++
    }
    return end + 1
  }
  if (text.startsWith('//', at)) return endOr(text.indexOf('\n', at), text)
  if (text.startsWith('/*', at)) return endOr(text.indexOf('*/', at), text) + 2
  if (char === '/' && /[(,=:[!&|?{;>]\s*$|\breturn\s*$/.test(text.slice(Math.max(0, at - 20), at))) {
    const end = /^\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\]|\\.)*\])+\//.exec(text.slice(at))?.[0].length
    return at + (end ?? 0)
  }
  return at
}

function endOr(found: number, text: string): number {
  return found === -1 ? text.length : found
}

/** The position after the bracket that closes the one at `at`. */
export function endOfBracket(text: string, at: number): number {
  let depth = 0
  for (let place = at; place < text.length; ) {
    const after = skipToken(text, place)
    if (after > place) {
      place = after
      continue
    }
    const char = text[place] ?? ''
    if (OPEN.includes(char)) depth++
    if (CLOSE.includes(char) && --depth === 0) return place + 1
    place++
  }
  return text.length
}

/** Splits at separators outside brackets, strings and comments. */
export function splitTop(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let place = 0; place < text.length; ) {
    const after = skipToken(text, place)
    if (after > place) place = after
    else if (OPEN.includes(text[place] ?? ' ')) place = endOfBracket(text, place)
    else {
      if (text[place] === separator && text[place + 1] !== separator && text[place - 1] !== separator) {
        parts.push(text.slice(start, place))
        start = place + 1
      }
      place++
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== '')
}

/** Every call of one of these functions. */
export function callsOf(text: string, names: readonly string[]): Call[] {
  const pattern = new RegExp(String.raw`(?<![\w.])(?:new )?(${names.join('|')})\(`, 'g')
  return [...text.matchAll(pattern)].flatMap((found) => {
    if (/function $/.test(text.slice(0, found.index))) return []
    const open = found.index + found[0].length - 1
    const inside = text.slice(open + 1, endOfBracket(text, open) - 1)
    return [{ name: found[1] ?? '', at: found.index, args: splitTop(inside, ',') }]
  })
}

/** Members of an object literal by name; the value of a shorthand is its name. */
export function membersOf(literal: string): Map<string, string> {
  const members = splitTop(literal.trim().replace(/^\{|\}$/g, ''), ',').flatMap((member) => {
    const [, name, value] = /^(\w+)\s*(?::\s*([\s\S]*))?$/.exec(member) ?? []
    return name === undefined ? [] : [[name, (value ?? name).trim()] as const]
  })
  return new Map(members)
}

/** Possible texts of an expression: the literals of its branches with `…` for variable parts; none if it is not text. */
export function textsOf(expression: string): string[] {
  const [, whole] = /^\(([\s\S]*)\)$/.exec(expression.trim()) ?? []
  if (whole !== undefined) return textsOf(whole)
  const [, fallback] = /^\w+ \?\? ([\s\S]*)$/.exec(expression.trim()) ?? []
  if (fallback !== undefined) return textsOf(fallback)
  const branches = splitTop(expression, '?')
  if (branches.length > 1) {
    const rest = splitTop(branches.slice(1).join(' ? '), ':')
    return rest.flatMap(textsOf)
  }
  const literal = expression.trim()
  if (skipToken(literal, 0) !== literal.length || !/^['"`]/.test(literal)) return []
  return [plain(literal)]
}

function plain(literal: string): string {
  let text = ''
  for (let place = 1; place < literal.length - 1; ) {
    if (literal[0] === '`' && literal.startsWith('${', place)) {
      text += '…'
      place = endOfBracket(literal, place + 1)
    } else if (literal[place] === '\\') {
      text += literal[place + 1] === 'n' ? ' ' : (literal[place + 1] ?? '')
      place += 2
    } else text += literal[place++]
  }
  return text
}
