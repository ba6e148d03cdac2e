import type { Endpoint } from '../../../inference/index.js'
import { isJsonObject, type JsonObject, parseJson } from '../../../kernel/index.js'

/** Characters that are put together at once. */
const PORTION = 32 << 10

/** Calls of tools in one answer. */
const MAX_CALLS = 128

interface Assembled {
  add(data: string): void
  /**
   * The JSON text of the answer, in portions: with the log probabilities of many tokens it has megabytes.
   *
   * @param usage for answers whose miner sent none
   */
  portions(usage: JsonObject): Generator<string, void>
}

/**
 * Makes one answer of the chunks of a stream. Text that a server's parsers moved to another member of the delta, such as the
 * reasoning, is joined there; the accumulator of the `openai` package would keep only its last piece.
 */
export function createAssembly(endpoint: Endpoint, wantsLogprobs: boolean): Assembled {
  const message: Record<string, unknown> = {}
  const logprobs: Lists = new Map()
  let head: JsonObject = {}
  let choice: Record<string, unknown> = {}
  let sentUsage: JsonObject | undefined
  let text = ''
  return {
    add: (data) => {
      const chunk = parseJson(data)
      if (!isJsonObject(chunk)) return
      const { choices, usage, object: _, ...rest } = chunk
      head = { ...rest, ...head }
      if (isJsonObject(usage)) sentUsage = usage
      const [first] = Array.isArray(choices) ? choices : []
      if (!isJsonObject(first)) return
      const { delta, logprobs: more, text: piece, ...facts } = first
      choice = { ...choice, ...facts }
      if (isJsonObject(delta)) joinDelta(message, delta)
      if (typeof piece === 'string') text += piece
      if (wantsLogprobs && isJsonObject(more)) joinLists(logprobs, more)
    },
    portions: function* (usage) {
      const said =
        endpoint === 'chat'
          ? { message: { role: 'assistant', content: null, ...withCalls(message) } }
          : { text }
      const object = endpoint === 'chat' ? 'chat.completion' : 'text_completion'
      const start = openObject({ ...head, object })
      yield `${start},"choices":[${openObject({ ...choice, index: 0, ...said })},"logprobs":`
      yield* portionsOf(logprobs)
      yield `}],"usage":${JSON.stringify(sentUsage ?? usage)}}`
    },
  }
}

/** Texts are joined, everything else is replaced. */
function joinDelta(message: Record<string, unknown>, delta: JsonObject): void {
  for (const [name, value] of Object.entries(delta)) {
    if (value === null || value === undefined) continue
    const before = Object.hasOwn(message, name) ? message[name] : undefined
    if (name === 'tool_calls' && Array.isArray(value)) define(message, name, joinCalls(before, value))
    else if (name !== 'role' && typeof value === 'string' && typeof before === 'string')
      define(message, name, before + value)
    else define(message, name, value)
  }
}

type Calls = Record<string, unknown>[]

/** The arguments of a call arrive in pieces; its id and name are whole. */
function joinCalls(before: unknown, pieces: readonly unknown[]): Calls {
  const calls: Calls = Array.isArray(before) ? before : []
  for (const piece of pieces) {
    if (!isJsonObject(piece)) continue
    const { index = calls.length, function: called, ...facts } = piece
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= MAX_CALLS) continue
    while (calls.length <= index) calls.push({})
    const call = calls[index] ?? {}
    const known = isJsonObject(call.function) ? call.function : {}
    const given = isJsonObject(called) ? called : {}
    const joined = `${known.arguments ?? ''}${given.arguments ?? ''}`
    calls[index] = { ...call, ...facts, function: { ...known, ...given, arguments: joined } }
  }
  return calls
}

/** A message that only calls tools has no content. */
function withCalls(message: JsonObject): JsonObject {
  const { content, tool_calls, ...rest } = message
  const hasCalls = Array.isArray(tool_calls) && tool_calls.length > 0
  return {
    ...rest,
    content: content === '' && hasCalls ? null : (content ?? (hasCalls ? null : '')),
    ...(hasCalls ? { tool_calls } : {}),
  }
}

/** By name, the JSON texts of the elements of each chunk. */
type Lists = Map<string, string[]>

function joinLists(lists: Lists, more: JsonObject): void {
  for (const [name, value] of Object.entries(more)) {
    if (!Array.isArray(value)) continue
    const chunks = lists.get(name) ?? []
    if (value.length > 0) chunks.push(JSON.stringify(value).slice(1, -1))
    lists.set(name, chunks)
  }
}

function* portionsOf(lists: Lists): Generator<string, void> {
  if (lists.size === 0) return yield 'null'
  let text = '{'
  let isFirst = true
  for (const [name, chunks] of lists) {
    text += `${isFirst ? '' : ','}${JSON.stringify(name)}:[`
    isFirst = false
    for (const [index, chunk] of chunks.entries()) {
      text += index === 0 ? chunk : `,${chunk}`
      if (text.length < PORTION) continue
      yield text
      text = ''
    }
    text += ']'
  }
  yield `${text}}`
}

/** A text that more members can be added to; the object has one at least. */
function openObject(object: object): string {
  return JSON.stringify(object).slice(0, -1)
}

/** Sets a member of any name, `__proto__` included. */
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}
