import { isJsonObject } from '../kernel/index.js'
import { engineError } from './engine-error.js'
import { entryOf, parseScoring, referenceOf } from './scoring-call.js'
import type { Reference, ReferencePosition, ScoreRequest } from './types.js'

/** Quotes inside texts are escaped, so these bytes occur only before a list. */
const LIST = Buffer.from('"prompt_logprobs":[')
/** Between two positions; a digit of a token id follows. A text may end with these bytes, but then no digit follows. */
const NEXT = Buffer.from('}},{"')
const [DIGIT_0, DIGIT_9] = [0x30, 0x39]
/** One entry as vLLM writes it, up to the comma before the next one or the brace after the last. */
const ENTRY =
  /"(\d{1,15})":\{"logprob":(-?\d{1,20}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?),"rank":(\d{1,15})(?:,"decoded_token":(?:null|"[^"\\]*(?:\\.[^"\\]*)*"))?\}([,}])/y

interface List {
  readonly start: number
  /** Where the positions of the output begin. */
  readonly outputStart: number
  /** Of the bracket that closes it. */
  readonly end: number
}

/**
 * Reads the response to a scoring call. Each answer is read when its function is called, so that a caller can do other work in
 * between. `prompt_logprobs` makes up nearly all of a response. The positions of the prompt are not needed, so their bytes are
 * skipped; those of the output are read without creating a value for every entry, in a quarter of the time of `JSON.parse`. A
 * response in another format than vLLM's is parsed as a whole.
 *
 * @returns functions that throw TargonError ENGINE_ANSWER when the response does not belong to the requests, as this function does
 */
export function readScoring(bytes: Buffer, requests: readonly ScoreRequest[]): readonly (() => Reference)[] {
  let parsed: readonly Reference[] | undefined
  const parseAll = () => {
    parsed ??= parseScoring(parse(bytes.toString('utf8')), requests)
    return parsed
  }
  const lists = findLists(bytes, requests)
  const choices = lists && readChoices(bytes, lists)
  if (!lists || choices?.length !== requests.length) return parseAll().map((reference) => () => reference)
  return requests.map((request, index) => () => {
    const [list, choice] = [lists[index], choices[index]]
    const isInOrder = isJsonObject(choice) && (choice.index ?? 0) === index
    const positions = list && isInOrder ? readPositions(bytes, list, request.output.length) : undefined
    if (positions && isInOrder) return referenceOf(positions, choice, request)
    const reference = parseAll()[index]
    if (!reference) throw engineError('ENGINE_ANSWER', 'The engine scored fewer answers than it was sent.')
    return reference
  })
}

/** Undefined unless there is one list per request, with as many positions as the request has tokens. */
function findLists(bytes: Buffer, requests: readonly ScoreRequest[]): readonly List[] | undefined {
  const starts: number[] = []
  for (let at = bytes.indexOf(LIST); at >= 0; at = bytes.indexOf(LIST, at + LIST.length))
    starts.push(at + LIST.length)
  if (starts.length !== requests.length) return undefined
  const lists: List[] = []
  for (const [index, { input, output }] of requests.entries()) {
    const start = starts[index] ?? 0
    // The first position is null; the second one begins after it.
    if (input.length < 2 || output.length === 0) return undefined
    const outputStart = skipPositions(bytes, start, input.length - 1)
    const last = outputStart === undefined ? undefined : skipPositions(bytes, outputStart, output.length - 1)
    if (outputStart === undefined || last === undefined) return undefined
    const rest = bytes.toString('latin1', last, starts[index + 1])
    const end = readPosition(rest, 0)?.end
    if (end === undefined || rest[end] !== ']') return undefined
    lists.push({ start, outputStart, end: last + end })
  }
  return lists
}

/** @returns where the position so many positions later begins */
function skipPositions(bytes: Buffer, start: number, count: number): number | undefined {
  let at = start
  for (let left = count; left > 0; ) {
    const found = bytes.indexOf(NEXT, at)
    if (found < 0) return undefined
    at = found + NEXT.length
    const next = bytes[at] ?? 0
    if (next >= DIGIT_0 && next <= DIGIT_9) left--
  }
  return count === 0 ? at : at - 2
}

/** The choices of the response without their lists; undefined when the rest is not JSON. */
function readChoices(bytes: Buffer, lists: readonly List[]): readonly unknown[] | undefined {
  let text = ''
  let at = 0
  for (const { start, end } of lists) {
    text += bytes.toString('utf8', at, start)
    at = end
  }
  try {
    const body: unknown = JSON.parse(text + bytes.toString('utf8', at))
    return isJsonObject(body) && Array.isArray(body.choices) ? body.choices : undefined
  } catch {
    return undefined
  }
}

/** Undefined when there is another number of positions, or one that is not written as vLLM does. */
function readPositions(
  bytes: Buffer,
  { outputStart, end }: List,
  count: number,
): readonly ReferencePosition[] | undefined {
  // Texts of tokens are not read, so their encoding does not matter.
  const text = bytes.toString('latin1', outputStart, end)
  const positions: ReferencePosition[] = []
  for (let at = 0; at < text.length; ) {
    const found = readPosition(text, at)
    if (!found || (found.end < text.length && text[found.end] !== ',')) return undefined
    positions.push(found.position)
    at = found.end + 1
  }
  return positions.length === count ? positions : undefined
}

/** @returns the position that begins there, and where it ends; undefined when it is not written as vLLM does */
function readPosition(text: string, at: number): { position: ReferencePosition; end: number } | undefined {
  if (text[at] !== '{') return undefined
  const position = new Map<number, { logprob: number; rank: number }>()
  ENTRY.lastIndex = at + 1
  for (;;) {
    const [, id, logprob, rank, mark] = ENTRY.exec(text) ?? []
    if (mark === undefined) return undefined
    position.set(Number(id), entryOf(Number(logprob), Number(rank)))
    if (mark === '}') return { position, end: ENTRY.lastIndex }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw engineError('ENGINE_ANSWER', 'The engine did not return JSON; is this vLLM?', {}, { cause: error })
  }
}
