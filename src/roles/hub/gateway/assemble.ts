import type { Endpoint } from '../../../inference/index.js'
import { isJsonObject, type JsonObject, parseJson } from '../../../kernel/index.js'
import { joinCalls } from './tool-calls.js'

/** Characters that are put together at once. */
const PORTION = 32 << 10

/** Names of members in one object of the answer. A miner may invent as many as it likes; vLLM has about ten. */
const MAX_MEMBERS = 64

/** By name, the members of an object. Any name is data, `__proto__` included. */
type Members = Map<string, unknown>

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
  const head: Members = new Map()
  const choice: Members = new Map()
  const message: Members = new Map()
  const logprobs: Lists = new Map()
  const calls: Parameters<typeof joinCalls>[0] = []
  let sentUsage: JsonObject | undefined
  let text = ''
  return {
    add: (data) => {
      const chunk = parseJson(data)
      if (!isJsonObject(chunk)) return
      const { choices, usage, object: _, ...rest } = chunk
      for (const [name, value] of Object.entries(rest)) if (!head.has(name)) keep(head, name, value)
      if (isJsonObject(usage)) sentUsage = usage
      const [first] = Array.isArray(choices) ? choices : []
      if (!isJsonObject(first)) return
      const { delta, logprobs: more, text: piece, ...facts } = first
      for (const [name, value] of Object.entries(facts)) keep(choice, name, value)
      if (isJsonObject(delta)) {
        const { tool_calls, ...said } = delta
        if (Array.isArray(tool_calls)) joinCalls(calls, tool_calls)
        joinDelta(message, said)
      }
      if (typeof piece === 'string') text += piece
      if (wantsLogprobs && isJsonObject(more)) joinLists(logprobs, more)
    },
    portions: function* (usage) {
      const said =
        endpoint === 'chat'
          ? { message: { role: 'assistant', content: null, ...withCalls(objectOf(message), calls) } }
          : { text }
      const object = endpoint === 'chat' ? 'chat.completion' : 'text_completion'
      const start = openObject({ ...objectOf(head), object })
      yield `${start},"choices":[${openObject({ ...objectOf(choice), index: 0, ...said })},"logprobs":`
      yield* portionsOf(logprobs)
      yield `}],"usage":${JSON.stringify(sentUsage ?? usage)}}`
    },
  }
}

/** Texts are joined, everything else is replaced. */
function joinDelta(message: Members, delta: JsonObject): void {
  for (const [name, value] of Object.entries(delta)) {
    if (value === null || value === undefined) continue
    const before = message.get(name)
    const isMore = name !== 'role' && typeof value === 'string' && typeof before === 'string'
    keep(message, name, isMore ? before + value : value)
  }
}

/** Adds or replaces a member, and leaves out those beyond the bound. */
function keep<Value>(members: Map<string, Value>, name: string, value: Value): void {
  if (members.has(name) || members.size < MAX_MEMBERS) members.set(name, value)
}

function objectOf(members: Members): JsonObject {
  return Object.fromEntries(members)
}

/** A message that only calls tools has no content. */
function withCalls({ content, ...rest }: JsonObject, calls: readonly object[]): JsonObject {
  const hasCalls = calls.length > 0
  return {
    ...rest,
    content: content === '' && hasCalls ? null : (content ?? (hasCalls ? null : '')),
    ...(hasCalls ? { tool_calls: calls } : {}),
  }
}

/** By name, the JSON texts of the elements of each chunk. */
type Lists = Map<string, string[]>

function joinLists(lists: Lists, more: JsonObject): void {
  for (const [name, value] of Object.entries(more)) {
    if (!Array.isArray(value)) continue
    const chunks = lists.get(name) ?? []
    if (value.length > 0) chunks.push(JSON.stringify(value).slice(1, -1))
    keep(lists, name, chunks)
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
