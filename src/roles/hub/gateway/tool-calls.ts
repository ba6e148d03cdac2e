import { isJsonObject, type JsonObject } from '../../../kernel/index.js'

/** Calls of tools in one answer. */
const MAX_CALLS = 128

/** A call of a tool in an answer of OpenAI's API. One of which nothing arrived yet is empty. */
interface ToolCall {
  id?: string
  type?: string
  function?: { name?: string; arguments: string }
}

/**
 * Adds the pieces of a chunk's `tool_calls` to the calls before. The arguments of a call arrive in pieces; its id, type and name
 * are whole. Other members are left out, and nothing that is there is copied, so the work depends on the pieces alone.
 */
export function joinCalls(calls: ToolCall[], pieces: readonly unknown[]): void {
  for (const piece of pieces) {
    if (!isJsonObject(piece)) continue
    const { index = calls.length } = piece
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= MAX_CALLS) continue
    while (calls.length <= index) calls.push({})
    const call = calls[index]
    if (call !== undefined) joinCall(call, piece)
  }
}

/** Some servers repeat the id and the name as null or as an empty text. */
function joinCall(call: ToolCall, { id, type, function: called }: JsonObject): void {
  if (isText(id)) call.id = id
  if (isText(type)) call.type = type
  call.function ??= { arguments: '' }
  if (!isJsonObject(called)) return
  if (isText(called.name)) call.function.name = called.name
  if (isText(called.arguments)) call.function.arguments += called.arguments
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
