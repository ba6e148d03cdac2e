import type { Endpoint } from '../../../inference/index.js'
import { isJsonObject, type JsonObject, parseJson } from '../../../kernel/index.js'

/** Calls of tools in one answer. */
const MAX_CALLS = 128

interface Assembled {
  add(data: string): void
  /** @param usage for answers whose miner sent none */
  finish(usage: JsonObject): JsonObject
}

/**
 * Makes one answer of the chunks of a stream. Text that a server's parsers moved to another member of the delta, such as the
 * reasoning, is joined there; the accumulator of the `openai` package would keep only its last piece.
 */
export function createAssembly(endpoint: Endpoint, wantsLogprobs: boolean): Assembled {
  const message: Record<string, unknown> = {}
  const logprobs: Record<string, unknown[]> = {}
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
    finish: (usage) => {
      const shown = Object.keys(logprobs).length > 0 ? logprobs : null
      const said =
        endpoint === 'chat'
          ? { message: { role: 'assistant', content: null, ...withCalls(message) } }
          : { text }
      const object = endpoint === 'chat' ? 'chat.completion' : 'text_completion'
      const choices = [{ ...choice, index: 0, ...said, logprobs: shown }]
      return { ...head, object, choices, usage: sentUsage ?? usage }
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

function joinLists(lists: Record<string, unknown[]>, more: JsonObject): void {
  for (const [name, value] of Object.entries(more)) {
    if (!Array.isArray(value)) continue
    const before = Object.hasOwn(lists, name) ? lists[name] : undefined
    if (before === undefined) define(lists, name, [...value])
    else before.push(...value)
  }
}

/** Sets a member of any name, `__proto__` included. */
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}
